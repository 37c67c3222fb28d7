/** The native functions that a thread's CPU time went into. */
import type { ProfilingResult } from '../model/profiling-result.js';
import type { NativeFamily, NativeFunction } from '../model/signals.js';
import { html, type Markup } from './markup.js';
import { more, SHOWN_ROWS, shareCell } from './table-parts.js';

/** Below this share of the thread's CPU time a function is not worth a row. */
const LEAST_SHARE = 0.02;

const FAMILY_TEXT: Readonly<Record<NativeFamily, string>> = {
  regexp: 'regular expressions',
  json: 'JSON',
  zlib: 'compression',
  crypto: 'crypto',
  megamorphic: 'properties of many shapes',
  gc: 'garbage collection',
  compiler: 'compiling JavaScript',
  builtin: 'JavaScript’s built-in functions',
  runtime: 'V8',
  node: 'Node',
  libuv: 'libuv',
  addon: 'addon',
  library: 'library',
  kernel: 'system calls',
};

/** What a family of native functions is for, in a few words. */
export function nativeFamilyText(family: NativeFamily): string {
  return Object.hasOwn(FAMILY_TEXT, family) ? FAMILY_TEXT[family] : family;
}

/** The functions with a share worth telling, greatest first. */
export function shownNativeFunctions({ nativeFunctions = [] }: ProfilingResult): NativeFunction[] {
  return nativeFunctions.filter(({ share }) => share >= LEAST_SHARE).toSorted((a, b) => b.share - a.share);
}

/** @param functions at least one. */
export function nativeTable(functions: readonly NativeFunction[]): Markup {
  return html`<p class="quiet">
      Shares of the profiled thread’s CPU time, by samples of its machine code; JavaScript is not among them.
      The hot functions above hold this time too, as that of the JavaScript that called.
    </p>
    <div class="scroll">
      <table class="costs">
        <thead>
          <tr>
            <th>Native function</th>
            <th>For</th>
            <th>Module</th>
            <th>CPU time</th>
          </tr>
        </thead>
        <tbody>
          ${functions.slice(0, SHOWN_ROWS).map(
            ({ name, family, module, share }) =>
              html`<tr>
                <td><code>${name}</code></td>
                <td>${nativeFamilyText(family)}</td>
                <td>${module}</td>
                ${shareCell(share)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${more(functions.length)}`;
}
