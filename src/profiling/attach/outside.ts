/** A running process of which nothing but its inspector and the kernel's figures are used. */
import { checkProfileOptions } from '../session.js';
import type { Signals } from '../../model/signals.js';
import type { ProfileType } from '../../model/types.js';
import type { AgentProfileOptions } from '../controller.js';
import type { AttachedProcess } from './attached-process.js';
import { openInspector, type InspectorAccess } from './inspector-access.js';
import { isStill, readNodeProcess, type NodeProcess } from './node-process.js';
import { profileFromOutside } from './outside-run.js';

/** Opens the inspector of a process for a profile from outside. Throws as `attachToProcess`. */
export async function openOutside(pid: number, signal?: AbortSignal): Promise<Outside> {
  const target = readNodeProcess(pid);
  return new Outside(target, await openInspector(target, signal));
}

export class Outside implements AttachedProcess {
  readonly mode = 'outside';
  readonly reason?: string;
  readonly #target: NodeProcess;
  readonly #access: InspectorAccess;

  constructor(target: NodeProcess, access: InspectorAccess, reason?: string) {
    this.#target = target;
    this.#access = access;
    if (reason !== undefined) this.reason = reason;
  }

  get pid(): number {
    return this.#target.pid;
  }

  get command(): readonly string[] {
    return this.#target.command;
  }

  async profile(type: ProfileType, options: AgentProfileOptions): Promise<Signals> {
    checkProfileOptions(type, options);
    options.signal?.throwIfAborted();
    return profileFromOutside(this.pid, this.#access.inspector, type, options);
  }

  async close(): Promise<string | undefined> {
    if ((await this.#access.release()) || !isStill(this.#target)) return undefined;
    return `The inspector of process ${this.pid} is still open: its main thread answers nothing, as in native code or when it is stopped. It is closed as soon as the process answers within the next minute; after that, end it with process._debugEnd() from a debugger (node inspect -p ${this.pid}).`;
  }
}
