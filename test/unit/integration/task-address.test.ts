import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { defineTask } from '../../../dist/threads/task.js';
import {
  addressOfTask,
  allowedModules,
  defaultRoot,
  taskAt,
} from '../../../dist/integration/bullmq/task-address.js';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'sysopt-root-')));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const root = join(base, 'app');
for (const folder of ['app/tasks', 'app/node_modules/evil', 'outside'])
  mkdirSync(join(base, folder), { recursive: true });
writeFileSync(join(root, 'package.json'), '{}');
for (const file of [
  'app/tasks/images.js',
  'app/tasks/mail.js',
  'app/node_modules/evil/index.js',
  'outside/x.js',
]) {
  writeFileSync(join(base, file), 'export const run = () => 1;');
}
symlinkSync(join(base, 'outside/x.js'), join(root, 'tasks/link.js'));

describe('task addresses', () => {
  it('are paths below the root, on both sides', () => {
    const address = addressOfTask(defineTask(join(root, 'tasks/images.js'), 'run'), root);
    expect(address).toEqual({ module: 'tasks/images.js', export: 'run' });
    expect(taskAt(address, root, undefined)).toEqual({
      module: pathToFileURL(join(root, 'tasks/images.js')).href,
      export: 'run',
    });
  });

  it.each([
    ['above the root', () => defineTask(join(base, 'outside/x.js'), 'run')],
    ['linked from above', () => defineTask(join(root, 'tasks/link.js'), 'run')],
    ['in node_modules', () => defineTask(join(root, 'node_modules/evil/index.js'), 'run')],
    ['without a file', () => defineTask('data:text/javascript,export const run = 1', 'run')],
  ])('are not given to a module %s', (_, make) => {
    expect(() => addressOfTask(make(), root)).toThrow(/below the root/);
  });

  it.each([
    '../outside/x.js',
    'tasks/../../outside/x.js',
    '/etc/passwd',
    'data:text/javascript,export const run = 1',
    'node_modules/evil/index.js',
    'tasks/link.js',
    'tasks\\..\\..\\outside\\x.js',
    '',
  ])('a consumer refuses %j', (module) => {
    expect(() => taskAt({ module, export: 'run' }, root, undefined)).toThrow(
      expect.objectContaining({ code: 'TASK_REFUSED' }),
    );
  });

  it('a consumer with a list keeps to it', () => {
    const only = allowedModules(['tasks/images.js'], root);
    expect(taskAt({ module: 'tasks/images.js', export: 'run' }, root, only).export).toBe('run');
    expect(taskAt({ module: './tasks//images.js', export: 'run' }, root, only).export).toBe('run');
    expect(() => taskAt({ module: 'tasks/mail.js', export: 'run' }, root, only)).toThrow(/--only/);
    expect(() => allowedModules(['tasks/none.js'], root)).toThrow(/modules that exist/);
  });

  it('count from the nearest package.json', () => {
    expect(defaultRoot(join(root, 'tasks'))).toBe(root);
  });
});
