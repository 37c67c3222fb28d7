/**
 * V8's profilers, through an inspector session of the same thread: no port is opened and nothing can attach.
 * Such a session answers at once, so commands can be synchronous; that lets a process that is about to exit
 * still collect its profile.
 */
import type * as Inspector from 'node:inspector';

export class InspectorSession {
  readonly #session: Inspector.Session;
  readonly #listeners = new Map<unknown, (message: { params: unknown }) => void>();

  /** @param inspector the module, loaded by the caller: importing it fails in a Node built without it. */
  constructor(inspector: Pick<typeof Inspector, 'Session'>) {
    this.#session = new inspector.Session();
    this.#session.connect();
  }

  /** Throws what V8 answers with, e.g. for a domain that this build lacks. */
  post<T>(method: string, params: Record<string, unknown> = {}): T {
    let answer: { error: Error | null; result: unknown } | undefined;
    (
      this.#session.post as (
        m: string,
        p: object,
        done: (error: Error | null, result: unknown) => void,
      ) => void
    ).call(this.#session, method, params, (error, result) => {
      answer = { error, result };
    });
    if (answer === undefined) throw new Error(`The inspector did not answer ${method}.`);
    // V8 answers with a plain object of code and message.
    if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result as T;
  }

  /** For the inspector's notifications. `listener` gets their parameters. */
  on(method: string, listener: (params: unknown) => void): void {
    const forward = ({ params }: { params: unknown }) => listener(params);
    this.#listeners.set(listener, forward);
    (this.#session as NodeJS.EventEmitter).on(method, forward);
  }

  off(method: string, listener: (params: unknown) => void): void {
    const forward = this.#listeners.get(listener);
    if (forward !== undefined) (this.#session as NodeJS.EventEmitter).off(method, forward);
  }

  close(): void {
    this.#session.disconnect();
  }
}
