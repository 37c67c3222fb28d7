/** What both ways of attaching (an agent inside, everything from outside) give. */
import type { Signals } from '../../model/signals.js';
import type { ProfileType } from '../../model/types.js';
import type { AgentProfileOptions } from '../controller.js';

/** A running process that can be profiled. */
export interface AttachedProcess {
  readonly pid: number;
  readonly command: readonly string[];
  /** `agent`: our code runs inside; `outside`: nothing was loaded. */
  readonly mode: 'agent' | 'outside';
  /** Why nothing was loaded although it was allowed. */
  readonly reason?: string;
  /**
   * Profiles the process. Where it ends in the middle, the signals gathered until then, with a warning.
   *
   * @throws InvalidArgumentError, AbortedError; TargetError where nothing could be gathered.
   */
  profile(type: ProfileType, options: AgentProfileOptions): Promise<Signals>;
  /**
   * Leaves the process as it was found. Never throws; a second call does nothing.
   *
   * @returns what could not be undone, for people: the inspector of a process that answers nothing.
   */
  close(): Promise<string | undefined>;
}
