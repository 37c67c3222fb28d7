import { setTimeout as delay } from 'node:timers/promises';
import { waitForUrl } from '../host/program.js';
import { attachToProcess, busiestOf } from '../profiling/attach/attach.js';
import type { AttachedProcess } from '../profiling/attach/attached-process.js';
import type { LoadRequest } from '../validation/load-requests.js';
import { startLoad, withLoad } from './profile-load.js';
import { LOADED_WARMUP_MS, type Observation, type ProfileVerbOptions } from './profile-contract.js';
import type { Session } from './session.js';

/**
 * `sysopt profile --pid`: attaches to a process that runs already, profiles it, and leaves it as it was, also after
 * Ctrl-C.
 */
export async function observeProcess(
  pid: number,
  options: ProfileVerbOptions,
  requests: readonly LoadRequest[] | undefined,
  session: Session,
): Promise<Observation> {
  const { terminal, signal } = session;
  let attached: AttachedProcess | undefined;
  try {
    terminal.progress({ stage: 'attach', message: `Attaching to process ${pid}` });
    const chosen = await busiestOf(pid);
    attached = await attachToProcess(chosen, { signal, loadAgent: options.agent });
    if (chosen !== pid) {
      terminal.warn(`Process ${pid} is idle and its child ${chosen} works: that one is profiled.`);
    }
    if (attached.reason !== undefined) {
      terminal.warn(
        `Nothing was loaded into the process, because ${attached.reason}: it is profiled from outside, without operations and waits.`,
      );
    }
    return await profileAttached(attached, options, requests, session);
  } finally {
    const left = await attached?.close();
    terminal.done();
    if (left !== undefined) terminal.warn(left);
  }
}

async function profileAttached(
  attached: AttachedProcess,
  options: ProfileVerbOptions,
  requests: readonly LoadRequest[] | undefined,
  { terminal, signal }: Session,
): Promise<Observation> {
  const { type, durationMs, url } = options;
  if (url !== undefined) {
    terminal.progress({ stage: 'ready', message: `Waiting for ${url}` });
    await waitForUrl(url, { timeoutMs: options.readyTimeoutMs, signal });
  }
  // It runs already: code is warm, unless the load is ours and new to it.
  const warmupMs = options.warmupMs ?? (url === undefined ? 0 : LOADED_WARMUP_MS);
  const loadEnd = new AbortController();
  const loadSignal = AbortSignal.any([signal, loadEnd.signal]);
  const load =
    url === undefined
      ? undefined
      : startLoad(url, options.connections, requests, warmupMs + durationMs + 60_000, loadSignal);
  load?.catch(() => {});
  try {
    if (warmupMs > 0) {
      terminal.progress({ stage: 'warm-up', message: `Warming up for ${warmupMs / 1000} s` });
      await delay(warmupMs, undefined, { signal });
    }
    terminal.progress({ stage: 'profile', message: `Profiling ${type} for ${durationMs / 1000} s` });
    const signals = await attached.profile(type, {
      durationMs,
      ...(options.retainers && { retainers: true }),
      signal,
      onProgress: (progress) => terminal.progress(progress),
    });
    loadEnd.abort();
    const { pid, command } = attached;
    return { pid, description: command.join(' '), ...(await withLoad(signals, load)) };
  } finally {
    loadEnd.abort();
    await load?.catch(() => {});
  }
}
