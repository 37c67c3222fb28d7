/** All traces of a run as one: put in place, counting, and taken away. */
import type { ProfileType } from '../../model/types.js';
import { ActivityTable } from './activity-table.js';
import { FsTrace, type OpenDescriptors } from './fs-trace.js';
import { HttpTrace } from './http-trace.js';
import { Patches } from './patches.js';
import { installPoolTrace } from './pool-trace.js';
import { SocketTrace } from './socket-trace.js';
import { installTimerTrace } from './timer-trace.js';

export class ActivityTracer {
  readonly table = new ActivityTable();
  readonly #patches = new Patches();
  readonly #fs = new FsTrace(this.table);
  readonly #http = new HttpTrace(this.table);
  #sockets: SocketTrace | undefined;

  /**
   * @param type `io` and `network` see synchronous file calls and timers too; elsewhere the CPU profile shows the
   *   former, and a flood of the latter would pay for what tells nothing about it.
   */
  start(type: ProfileType): void {
    const everything = type === 'io' || type === 'network';
    const lookUps = installPoolTrace(this.table, this.#patches);
    this.#fs.install(this.#patches, everything);
    this.#http.install(this.#patches);
    this.#sockets = new SocketTrace(this.table, lookUps);
    this.#sockets.install(this.#patches);
    if (everything) installTimerTrace(this.table, this.#patches);
    this.#patches.publish();
    this.table.recording = true;
  }

  get incomingConnections(): number {
    return this.#http.incomingConnections;
  }

  get fetchConnections(): ReadonlyMap<string, number> {
    return this.#http.fetchConnections;
  }

  get openDescriptors(): OpenDescriptors {
    return this.#fs.openDescriptors;
  }

  get openSockets(): SocketTrace['openSockets'] {
    return this.#sockets?.openSockets ?? new Map<object, null>();
  }

  stop(): void {
    this.table.recording = false;
    this.#http.uninstall();
    this.#patches.restore();
  }
}
