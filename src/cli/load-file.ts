import { readFile } from 'node:fs/promises';
import { OptimizerError } from '../errors.js';
import { nearest } from '../settings/nearest.js';
import { requestsOf, type LoadRequest } from '../validation/load-requests.js';
import { UsageError } from './exit-code.js';

const EXAMPLE =
  'Give a JSON list of requests: [{ "path": "/orders/1" }, { "path": "/orders", "method": "POST", "body": "{}" }].';

/** The requests of `--load FILE`. @throws UsageError for a file that cannot be read or holds anything else. */
export async function readLoad(path: string, url: string | undefined): Promise<LoadRequest[]> {
  if (url === undefined)
    throw new UsageError('--load needs --url.', 'The paths in the file are relative to it.');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`Cannot read the load ${path}: ${(error as Error).message}.`, EXAMPLE);
  }
  try {
    const requests = JSON.parse(text) as LoadRequest[];
    requestsOf(url, { requests });
    for (const request of requests) refuseUnknownFields(request);
    return requests;
  } catch (error) {
    const reason =
      error instanceof OptimizerError || error instanceof SyntaxError ? error.message : String(error);
    throw new UsageError(`The load ${path} is not a list of requests: ${reason}`, EXAMPLE);
  }
}

const FIELDS: readonly string[] = ['path', 'method', 'headers', 'body'] satisfies (keyof LoadRequest)[];

/** A field that is misspelt would be left out without a word, and another service be measured. */
function refuseUnknownFields(request: LoadRequest): void {
  const unknown = Object.keys(request).find((key) => !FIELDS.includes(key));
  if (unknown === undefined) return;
  const known = nearest(unknown, FIELDS);
  throw new SyntaxError(
    `unknown field "${unknown}"${known === undefined ? '' : `, did you mean "${known}"?`}`,
  );
}
