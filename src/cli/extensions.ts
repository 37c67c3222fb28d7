import { Extensions } from '../facade/extensions.js';
import type { Rule } from '../analysis/rule.js';
import { extensionsIn } from '../profiling/extension-module.js';
import type { Sampler } from '../profiling/sampler.js';
import { loadModule, unloadable } from './load-module.js';

/** The rules and samplers of `--extend FILE`. */
export interface LoadedExtensions {
  readonly rules: readonly Rule[];
  /** Whether the module has samplers, which the program is to load by itself. */
  readonly hasSamplers: boolean;
  readonly url: string;
}

/**
 * Loads and checks them before the program is started.
 *
 * @throws UsageError where there is no such file; SUBJECT_UNLOADABLE where the module throws, or exports neither rule nor
 *   sampler; INVALID_ARGUMENT for one of a wrong shape; DUPLICATE_NAME.
 */
export async function loadExtensions(file: string): Promise<LoadedExtensions> {
  const { path, url, exports } = await loadModule(file, '--extend');
  const { rules, samplers } = extensionsIn(exports);
  if (rules.length + samplers.length === 0) {
    throw unloadable(
      path,
      'it exports no rule and no sampler',
      'Export objects with evaluate(view), or with start() and stop(gathered), by name or as a list by default.',
    );
  }
  const checked = new Extensions();
  for (const rule of rules) checked.addRule(rule as Rule);
  for (const sampler of samplers) checked.addSampler(sampler as Sampler);
  return { rules: checked.rules, hasSamplers: samplers.length > 0, url };
}
