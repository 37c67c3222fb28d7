/** Options that several verbs take under the same name, so that they mean and say the same everywhere. */
import { Option } from 'commander';
import { OPTIMIZER_DEFAULTS } from '../../settings/optimizer.js';
import { durationMs, integer } from '../arguments.js';

/** What commander made of a command line; each verb maps it to its own options. */
export type Flags = Readonly<Record<string, unknown>> & { readonly json?: unknown };

export const storageOption = () =>
  new Option('--storage <dir>', 'folder of the store').default(OPTIMIZER_DEFAULTS.storagePath);

export const jsonOption = () =>
  new Option(
    '--json',
    'print the whole result as one JSON document, the last line of standard output',
  ).default(false);

export const connectionsOption = () =>
  new Option('--connections <n>', 'connections that drive the load')
    .argParser(integer(1, 10_000))
    .default(16);

export const loadOption = () =>
  new Option(
    '-l, --load <file>',
    'a mix of requests for the load: JSON list of { path, method, headers, body }',
  );

export const readyTimeoutOption = () =>
  new Option('--ready-timeout <time>', 'how long the program may take to answer')
    .argParser(durationMs(1))
    .default(15_000, '15s');
