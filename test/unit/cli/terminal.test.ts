import { describe, expect, it } from 'vitest';
import { alignColumns, Terminal, visible, wrap } from '../../../dist/cli/terminal.js';

function sink(isTTY: boolean) {
  const chunks: string[] = [];
  return { isTTY, columns: 60, write: (text: string) => chunks.push(text), text: () => chunks.join('') };
}

describe('the terminal', () => {
  it('keeps standard output to one JSON line with --json', () => {
    const [out, err] = [sink(false), sink(false)];
    const terminal = new Terminal({ json: true, out, err, env: {} });
    terminal.print('for people');
    terminal.progress({ stage: 'a', message: 'working' });
    terminal.targetOutput('hello\n');
    terminal.warn('careful');
    terminal.result({ a: 'x\ny' });
    expect(out.text()).toBe('{"a":"x\\ny"}\n');
    expect(err.text()).toContain('working');
    expect(err.text()).toContain('│ hello');
    expect(err.text()).toContain('careful');
  });

  it('prints no JSON without --json', () => {
    const out = sink(false);
    new Terminal({ json: false, out, err: sink(false), env: {} }).result({ a: 1 });
    expect(out.text()).toBe('');
  });

  it('writes a line a stage where progress is no terminal', () => {
    const err = sink(false);
    const terminal = new Terminal({ json: false, out: sink(false), err, env: {} });
    for (const fraction of [0.1, 0.2, 0.3]) terminal.progress({ stage: 'one', fraction, message: 'first' });
    terminal.progress({ stage: 'two', message: 'second' });
    expect(err.text()).toBe('first\nsecond\n');
  });

  it('rewrites nothing on a terminal that cannot', () => {
    const err = sink(true);
    const terminal = new Terminal({ json: false, out: sink(true), err, env: { TERM: 'dumb' } });
    terminal.progress({ stage: 'one', fraction: 0.5, message: 'first' });
    terminal.print('result');
    expect(err.text()).toBe('first\n');
  });

  it('rewrites one line on a terminal and clears it before other output', () => {
    const [out, err] = [sink(true), sink(true)];
    const terminal = new Terminal({ json: false, out, err, env: {} });
    terminal.progress({ stage: 'one', fraction: 0.5, message: 'first' });
    expect(err.text()).toContain('\r');
    expect(err.text()).not.toContain('\n');
    terminal.print('result');
    expect(err.text().endsWith('\r\u001b[2K')).toBe(true);
  });

  it('colours only terminals, and none where NO_COLOR is set', () => {
    const styled = (isTTY: boolean, env: NodeJS.ProcessEnv) =>
      new Terminal({ json: false, out: sink(isTTY), err: sink(false), env }).style('red', 'x');
    expect(styled(true, {})).toBe('\u001b[31mx\u001b[39m');
    expect(styled(false, {})).toBe('x');
    expect(styled(true, { NO_COLOR: '1' })).toBe('x');
    expect(styled(true, { TERM: 'dumb' })).toBe('x');
  });

  it('marks the program’s output line by line, whatever chunks it comes in', () => {
    const err = sink(false);
    const terminal = new Terminal({ json: false, out: sink(false), err, env: {} });
    terminal.targetOutput('one\r\ntw');
    terminal.targetOutput(Buffer.from('o\nthree'));
    terminal.endTargetOutput();
    expect(err.text()).toBe('│ one\n│ two\n│ three\n');
  });

  it.each([
    [0, 100],
    [undefined, 100],
    [20, 40],
    [72, 72],
    [400, 110],
  ])('wraps at a readable width where the terminal says %s', (columns, expected) => {
    const out = { ...sink(true), columns };
    expect(new Terminal({ json: false, out: out as any, err: sink(true), env: {} }).columns).toBe(expected);
  });

  it('holds no unbounded line back', () => {
    const err = sink(false);
    const terminal = new Terminal({ json: false, out: sink(false), err, env: {} });
    terminal.targetOutput('x'.repeat(10_000));
    expect(err.text().length).toBeGreaterThan(10_000);
  });
});

describe('text for terminals', () => {
  it('carries no control characters from outside', () => {
    expect(visible('a\u001b[2Jb\u0007\tc\u009b')).toBe('a\ufffd[2Jb\ufffd  c\ufffd');
  });

  it('wraps at spaces and keeps long words whole', () => {
    expect(wrap('aaa bbb ccc', 7, '  ')).toBe('aaa\n  bbb\n  ccc');
    expect(wrap('/a/very/long/path x', 5)).toBe('/a/very/long/path\nx');
  });

  it('aligns columns by their widest cell', () => {
    expect(
      alignColumns([
        ['a', 'bb', 'c'],
        ['aaa', 'b', ''],
      ]),
    ).toEqual(['a    bb  c', 'aaa  b']);
  });
});
