import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('importing threads and making a pool starts nothing', () => {
  const dist = new URL('../../dist/threads/', import.meta.url).href;
  const source = `
    const { ThreadPool } = await import('${dist}thread-pool.js');
    await import('${dist}job.js');
    await import('${dist}optimize-threads.js');
    const idle = process.getActiveResourcesInfo().filter((type) => type !== 'TTYWrap' && type !== 'PipeWrap');
    const pool = new ThreadPool({ maxThreads: 2 });
    console.log(JSON.stringify([idle, pool.stats().startedThreads]));
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', source], {
    encoding: 'utf8',
  });
  const [resources, started] = JSON.parse(output) as [string[], number];
  expect(resources.filter((type) => /Timeout|Worker|MessagePort|Process/.test(type))).toEqual([]);
  expect(started).toBe(0);
});
