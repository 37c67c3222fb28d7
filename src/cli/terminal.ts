import { styleText } from 'node:util';
import type { Progress } from '../events.js';

export type Style = Parameters<typeof styleText>[0];

/** The part of a stream that the terminal writes to; tests pass their own. */
export interface Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * The two outputs of the command line. People's text goes to standard output, progress and the target's own
 * output to standard error. With `json`, standard output carries nothing but the result as one line.
 */
export class Terminal {
  readonly json: boolean;
  readonly #out: Sink;
  readonly #err: Sink;
  readonly #color: { readonly out: boolean; readonly err: boolean };
  /** Whether a line can be rewritten where progress is shown. */
  readonly #rewrites: boolean;
  #progressShown = false;
  #lastStage = '';
  #partialLine = '';
  #showedTarget = false;

  constructor(options: { json: boolean; out?: Sink; err?: Sink; env?: NodeJS.ProcessEnv }) {
    this.json = options.json;
    this.#out = options.out ?? process.stdout;
    this.#err = options.err ?? process.stderr;
    const env = options.env ?? process.env;
    this.#rewrites = this.#err.isTTY === true && env.TERM !== 'dumb';
    const allowed = (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
    this.#color = {
      out: allowed && this.#out.isTTY === true,
      err: allowed && this.#err.isTTY === true,
    };
  }

  /** Text in a style, for `print`; plain where standard output is no terminal or NO_COLOR is set. */
  style(format: Style, text: string): string {
    return this.#color.out ? styleText(format, text, { validateStream: false }) : text;
  }

  /** Width to wrap text at. */
  get columns(): number {
    return Math.max(MIN_COLUMNS, Math.min(110, widthOf(this.#out) ?? 100));
  }

  /** A line (or several) for people. Nothing with `--json`. */
  print(text = ''): void {
    if (this.json) return;
    this.#clearProgress();
    this.#out.write(`${text}\n`);
  }

  /** The whole result as one JSON document on one line, the last of standard output. Only with `--json`. */
  result(value: unknown): void {
    this.#clearProgress();
    if (this.json) this.#out.write(`${JSON.stringify(value)}\n`);
  }

  /** Something that did not stop the work but that people should know. */
  warn(message: string): void {
    this.#clearProgress();
    this.#err.write(`${this.#errStyle('yellow', 'warning:')} ${visible(message)}\n`);
  }

  /** What went wrong, and what to do next. */
  error(message: string, hint: string): void {
    this.#clearProgress();
    this.#err.write(`${this.#errStyle(['red', 'bold'], 'error:')} ${visible(message)}\n`);
    if (hint !== '') this.#err.write(`${this.#errStyle('dim', visible(hint))}\n`);
  }

  /** Where long work is: one rewritten line on a terminal, else a line for each stage. */
  progress(progress: Progress): void {
    const share = progress.fraction === undefined ? '' : ` ${Math.round(progress.fraction * 100)} %`;
    const message = visible(progress.message);
    if (this.#rewrites) {
      const line = `${message}${share}`.slice(0, Math.max(MIN_COLUMNS, widthOf(this.#err) ?? 80) - 4);
      this.#err.write(`\r\u001b[2K${this.#errStyle('cyan', '›')} ${line}`);
      this.#progressShown = true;
      return;
    }
    if (progress.stage === this.#lastStage) return;
    this.#lastStage = progress.stage;
    this.#err.write(`${message}\n`);
  }

  /** Passes on what the profiled program wrote, line by line, marked as its own. */
  targetOutput(chunk: Buffer | string): void {
    const lines = (this.#partialLine + chunk.toString()).split('\n');
    this.#partialLine = lines.pop() ?? '';
    // A program that never ends its line must not be buffered without bound.
    if (this.#partialLine.length > 8192) lines.push(...this.#takePartial());
    this.#writeTarget(lines);
  }

  /** Whether anything of the profiled program's output has been shown. */
  get showedTarget(): boolean {
    return this.#showedTarget;
  }

  /** Writes what is left of a line that the program never ended. */
  endTargetOutput(): void {
    this.#writeTarget(this.#takePartial());
  }

  /** Removes a progress line that is still shown. */
  done(): void {
    this.#clearProgress();
  }

  #takePartial(): string[] {
    const rest = this.#partialLine;
    this.#partialLine = '';
    return rest === '' ? [] : [rest];
  }

  #writeTarget(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#showedTarget = true;
    this.#clearProgress();
    const mark = this.#errStyle('dim', '│');
    this.#err.write(lines.map((line) => `${mark} ${line.replace(/\r$/, '')}\n`).join(''));
  }

  #clearProgress(): void {
    if (!this.#progressShown) return;
    this.#err.write('\r\u001b[2K');
    this.#progressShown = false;
  }

  #errStyle(format: Style, text: string): string {
    return this.#color.err ? styleText(format, text, { validateStream: false }) : text;
  }
}

/** Narrower than this, text is not wrapped any further. */
const MIN_COLUMNS = 40;

/** A terminal that does not know its size reports 0. */
function widthOf(sink: Sink): number | undefined {
  return sink.columns === 0 ? undefined : sink.columns;
}

/** Text from outside (names, paths, messages) without the control characters that could steer a terminal. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, (character) =>
    character === '\t' ? '  ' : '\ufffd',
  );
}

/** Wraps at spaces; every line but the first starts with `indent`. Longer words stay whole. */
export function wrap(text: string, columns: number, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of visible(text).split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length + indent.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.join(`\n${indent}`);
}

/** Columns aligned by their widest cell, two spaces between; the last one is not padded. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
