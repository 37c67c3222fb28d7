/**
 * The module that `sysopt profile --extend` names: rules and samplers, as named exports, as the default export, or as a list
 * there. It is loaded twice: by the command line, which runs the rules and checks all of it, and by the agent inside the
 * program, which runs the samplers.
 *
 * Rejected: sending samplers over the agent's socket. Functions do not go there, and a sampler without its module's own
 * imports could read next to nothing of the program.
 */
import { checkedSampler } from './custom-sampler.js';
import type { Sampler } from './sampler.js';

type Exports = Readonly<Record<string, unknown>>;

/** What is meant to be a rule or a sampler, whole or not: an object with a method of either. Each once. */
export function extensionsIn(exports: Exports): { readonly rules: object[]; readonly samplers: object[] } {
  const values = new Set(Object.values(exports).flatMap((value: unknown) => value));
  const rules: object[] = [];
  const samplers: object[] = [];
  for (const value of values) {
    if (typeof value !== 'object' || value === null) continue;
    if ('evaluate' in value) rules.push(value);
    else if ('start' in value || 'stop' in value) samplers.push(value);
  }
  return { rules, samplers };
}

/**
 * The samplers of a module, inside the program. Never throws: where it cannot be loaded here, the one sampler given says so
 * in the profile's warnings.
 *
 * @param url of the module.
 */
export async function samplersOf(url: string): Promise<Sampler[]> {
  try {
    const { samplers } = extensionsIn((await import(url)) as Exports);
    return samplers.filter(isWhole).map(checkedSampler);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [
      teller(`The samplers of ${url} are left out, because it cannot be loaded in the program: ${reason}`),
    ];
  }
}

/** The command line has refused all others; this process may have loaded another text. */
function isWhole(value: object): value is Sampler {
  const { name, start, stop } = value as Partial<Record<keyof Sampler, unknown>>;
  return typeof name === 'string' && typeof start === 'function' && typeof stop === 'function';
}

function teller(warning: string): Sampler {
  return { name: 'extensions', start() {}, stop: ({ warnings }) => void warnings.push(warning) };
}
