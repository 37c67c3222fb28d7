import { describe, expect, it } from 'vitest';
import { printResult } from '../../../dist/cli/print-findings.js';
import { Terminal } from '../../../dist/cli/terminal.js';
import { result } from '../report/sample.js';

function printed(shown = result, byDoctor = new Set<string>()): string {
  let text = '';
  const out = { columns: 100, write: (chunk: string) => (text += chunk) };
  printResult(new Terminal({ json: false, out, err: out, env: {} }), shown, byDoctor);
  return text;
}

describe('a profile on the terminal', () => {
  it('shows the pattern as a pattern, not as a patch of the user’s file', () => {
    const text = printed();
    expect(text).toMatch(/The pattern:\n +function findCustomer/);
    expect(text).toMatch(/Write instead:\n +const byId/);
    expect(text).not.toMatch(/^ *[-+] {1,}(function|const byId|})/m);
  });

  it('says why each metric is missing, and names doctor only where doctor knows of it', () => {
    expect(printed()).toContain('2 metrics have no value:');
    expect(printed()).toContain('host.pressure.cpu: The kernel was started without pressure stall');
    expect(printed()).not.toContain('sysopt doctor');
    expect(printed(result, new Set(['NO_PSI']))).toContain('sysopt doctor');
  });

  it('shows places below the working directory from there', () => {
    const [finding] = result.analysis.findings;
    const location = { ...finding!.location!, file: `${process.cwd()}/lib/a.js` };
    const here = { ...finding!, location, title: `work in ${process.cwd()}/lib/a.js:19` };
    const text = printed({ ...result, analysis: { ...result.analysis, findings: [here] } });
    expect(text).toContain('work in lib/a.js:19');
    expect(text).toContain('at lib/a.js:19');
  });

  it('refers to the first finding where the same is to be done again', () => {
    const [finding] = result.analysis.findings;
    const [recommendation] = result.recommendations;
    const second = { ...finding!.location!, line: 90 };
    const text = printed({
      ...result,
      analysis: { ...result.analysis, findings: [finding!, { ...finding!, location: second }] },
      recommendations: [recommendation!, { ...recommendation!, id: 'r-2', location: second }],
    });
    expect(text.split('The pattern:')).toHaveLength(2);
    expect(text).toContain('What to do: as for 1.');
  });

  it('lists operations for io, threads and workers for thread, neither for cpu', () => {
    const io = printed({ ...result, type: 'io' });
    expect(io).toMatch(/Operation +count +p50 +p99 +total +asked for by/);
    expect(io).toMatch(/^GET prices\.internal:8080 +640 +42 ms +180 ms +31\.5 s +priceOf \S+prices\.js:31$/m);
    expect(io.indexOf('GET prices')).toBeLessThan(io.indexOf('fs.readFile '));
    const thread = printed({ ...result, type: 'thread' });
    expect(thread).toMatch(/^node 4242 +94.1 % +2\.1 % +3\.8 % +main thread$/m);
    expect(thread).toMatch(/^thumbnails +25 % +resample 25 % +\S+thumbnails\.js:14$/m);
    expect(thread).not.toContain('libuv-worker');
    expect(printed()).not.toMatch(/asked for by|hottest function/);
  });

  it('lets no control character of a name reach the terminal', () => {
    const hostile = { ...result.activities![0]!, name: 'read\u001b[2J', target: 'a\nb' };
    expect(printed({ ...result, type: 'io', activities: [hostile] })).not.toMatch(/\u001b|a\nb/);
  });
});
