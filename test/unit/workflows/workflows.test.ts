import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = resolve(import.meta.dirname, '../../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, string>;
}

function workflow(name: string) {
  const document = parse(readFileSync(join(root, '.github/workflows', `${name}.yml`), 'utf8'));
  const jobs: { steps: Step[]; 'timeout-minutes'?: number }[] = Object.values(document.jobs);
  return { document, jobs, steps: jobs.flatMap(({ steps }) => steps) };
}

const cron = (name: string): string[] => workflow(name).document.on.schedule[0].cron.split(' ');

describe('optimization.yml', () => {
  it('runs on pushes to main and develop, and by hand', () => {
    const { on } = workflow('optimization').document;
    expect(on.push.branches).toEqual(['main', 'develop']);
    expect(on).toHaveProperty('workflow_dispatch');
  });

  it('runs every six hours, off the full hour', () => {
    const [minute, ...rest] = cron('optimization');
    expect(rest).toEqual(['*/6', '*', '*', '*']);
    expect(Number(minute)).toBeGreaterThan(0);
    expect(Number(minute)).toBeLessThan(60);
  });
});

describe('monitoring.yml', () => {
  it('runs every hour, off the full hour, and by hand, and not on pushes', () => {
    const [minute, ...rest] = cron('monitoring');
    expect(rest).toEqual(['*', '*', '*', '*']);
    expect(Number(minute)).toBeGreaterThan(0);
    expect(Number(minute)).toBeLessThan(60);
    expect(Object.keys(workflow('monitoring').document.on).sort()).toEqual(['schedule', 'workflow_dispatch']);
  });

  it('never stops a run that another one follows: each continues the series of the one before', () => {
    expect(workflow('monitoring').document.concurrency['cancel-in-progress']).toBe(false);
  });
});

describe.each(['optimization', 'monitoring'])('%s.yml', (name) => {
  const { document, jobs, steps } = workflow(name);
  const commands = steps.flatMap(({ run }) => (run === undefined ? [] : [run]));

  it('asks for no more than to read the repository', () => {
    expect(document.permissions).toEqual({ contents: 'read' });
    expect(jobs.filter((job) => 'permissions' in job)).toEqual([]);
    expect(JSON.stringify(document)).not.toMatch(/secrets\.|github\.token/);
  });

  it('limits its time and its runs', () => {
    expect(document.concurrency.group).toContain('github.ref');
    for (const job of jobs) expect(job['timeout-minutes']).toBeLessThanOrEqual(30);
  });

  it('pins every action to a major version', () => {
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.length).toBeGreaterThan(0);
    expect(actions.filter((action) => !/^actions\/[\w/-]+@v\d+$/.test(action))).toEqual([]);
  });

  it('calls only npm scripts and files that exist', () => {
    const scripts = commands.flatMap((run) => [...run.matchAll(/npm run ([\w:-]+)/g)].map(([, it]) => it!));
    expect(scripts).toContain(`ci:${name}`);
    expect(scripts.filter((script) => !(script in manifest.scripts))).toEqual([]);
    const called = [...commands, ...scripts.map((script): string => manifest.scripts[script])];
    const files = called.flatMap((run) => [...run.matchAll(/node ([\w./-]+\.js)/g)].map(([, it]) => it!));
    expect(files).toContain(`scripts/ci-${name}.js`);
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it('hands expressions to a shell only through the environment', () => {
    expect(commands.filter((run) => run.includes('${{'))).toEqual([]);
  });

  it('starts from the newest store and saves its own, also where the work failed', () => {
    const restore = steps.find(({ uses }) => uses?.startsWith('actions/cache/restore@'))!;
    const save = steps.find(({ uses }) => uses?.startsWith('actions/cache/save@')) as Step & { if?: string };
    expect(save.with!['key']).toBe(restore.with!['key']);
    expect(save.with!['path']).toBe(restore.with!['path']);
    expect(save.with!['key']).toContain('github.run_id');
    const [prefix] = restore.with!['restore-keys']!.split('\n');
    expect(save.with!['key']!.startsWith(prefix!)).toBe(true);
    expect(save.if).toContain('!cancelled()');
  });

  it('keeps results and writes a job summary, also where the work failed', () => {
    const after = steps.slice(steps.findIndex(({ run }) => run?.includes(`ci:${name}`)) + 1);
    expect(after.filter((step) => !('if' in step))).toEqual([]);
    expect(after.some(({ run }) => run?.includes('>> "$GITHUB_STEP_SUMMARY"'))).toBe(true);
    const upload = after.find(({ uses }) => uses?.startsWith('actions/upload-artifact@'))!;
    expect(upload.with!['path']).toContain('env.STORE');
    expect(upload.with!['path']).toContain('env.OUT');
  });
});
