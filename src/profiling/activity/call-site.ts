/**
 * Where in the user's program an asynchronous operation was asked for: the stack at the moment of the call,
 * without Node's frames and this package's. V8 adds the async functions that await the call, so a helper that
 * queries a database is seen together with the handler that waits for it.
 *
 * Rejected: async_hooks, which follow every promise of the program and cost several times what is measured.
 */
import { fileURLToPath } from 'node:url';
import { dirname, sep } from 'node:path';

export interface CallFrame {
  readonly functionName: string;
  /** As V8 gives it: a path or a `file:` URL. */
  readonly url: string;
  /** 1-based place of the call inside the function. */
  readonly line: number;
  readonly column: number;
  readonly isDependency: boolean;
}

export interface CallSite {
  readonly key: string;
  /** Innermost first; frames of the user and of dependencies. */
  readonly frames: readonly CallFrame[];
}

const DEPTH = 32;
const KEPT = 6;
/** The compiled package: `<dist>/profiling/activity/call-site.js` is three folders below it. */
const OWN = dirname(dirname(dirname(fileURLToPath(import.meta.url)))) + sep;
const OWN_URL = new URL('../../', import.meta.url).href;

const keepSites = (_error: unknown, sites: NodeJS.CallSite[]): unknown => sites;

/** The stack above `below`; null where it holds no code of the user or of a dependency. About 4 µs. */
export function captureSite(below: (...args: never[]) => unknown): CallSite | null {
  let sites: NodeJS.CallSite[];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back as it was, never called here.
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.prepareStackTrace = keepSites;
    Error.stackTraceLimit = DEPTH;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, below);
    sites = holder.stack as NodeJS.CallSite[];
  } catch {
    // A program that froze Error keeps its call sites to itself.
    return null;
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
  return Array.isArray(sites) ? readSites(sites) : null;
}

function readSites(sites: readonly NodeJS.CallSite[]): CallSite | null {
  const frames: CallFrame[] = [];
  let key = '';
  for (const site of sites) {
    const url = site.getFileName() ?? '';
    if (url === '' || url.startsWith('node:') || url.startsWith(OWN) || url.startsWith(OWN_URL)) continue;
    const line = site.getLineNumber() ?? 0;
    const column = site.getColumnNumber() ?? 0;
    frames.push({
      functionName: site.getFunctionName() ?? '',
      url,
      line,
      column,
      isDependency: /[\\/]node_modules[\\/]/.test(url),
    });
    key += `${url}:${line}:${column};`;
    if (frames.length === KEPT) break;
  }
  return frames.length === 0 ? null : { key, frames };
}
