/** The requests of a load: one, or a mix that every connection goes through in order, again and again. */
import { describe, fail } from '../errors.js';

export interface LoadRequest {
  /** Path, or URL on the same host. The load's own URL without it. */
  readonly path?: string;
  /** GET by default. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ResolvedRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/**
 * The requests of a load, with what each leaves open filled in from the load itself.
 *
 * @throws INVALID_ARGUMENT for an empty mix, a field of the wrong type, or a request to another host.
 */
export function requestsOf(
  url: string,
  load: LoadRequest & { readonly requests?: readonly LoadRequest[] },
): ResolvedRequest[] {
  const { requests = [{}] } = load;
  if (!Array.isArray(requests) || requests.length === 0) {
    throw invalid('requests', requests, 'a list of at least one { path, method, headers, body }');
  }
  return (requests as readonly LoadRequest[]).map((request, i) => {
    const name = `requests[${i}]`;
    if (typeof request !== 'object' || request === null)
      throw invalid(name, request, 'an object such as { path }');
    const { path = load.path ?? '', method = load.method ?? 'GET', body = load.body } = request;
    if (typeof path !== 'string' || !URL.canParse(path, url))
      throw invalid(`${name}.path`, path, 'a path or URL');
    if (typeof method !== 'string' || !/^[A-Za-z]+$/.test(method)) {
      throw invalid(`${name}.method`, method, 'a method such as GET or POST');
    }
    if (body !== undefined && typeof body !== 'string') throw invalid(`${name}.body`, body, 'a text');
    const target = new URL(path, url);
    if (target.host !== new URL(url).host)
      throw invalid(`${name}.path`, path, `a path on ${new URL(url).host}`);
    return {
      url: target.href,
      method: method.toUpperCase(),
      headers: { ...load.headers, ...request.headers },
      body,
    };
  });
}

function invalid(name: string, actual: unknown, expected: string) {
  return fail('INVALID_ARGUMENT', { name, actual: describe(actual), expected });
}
