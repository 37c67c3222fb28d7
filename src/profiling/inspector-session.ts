/**
 * V8's profilers, through an inspector session of the same thread: no port is opened and nothing can attach.
 * Such a session answers at once, so commands can be synchronous; that lets a process that is about to exit
 * still collect its profile.
 */
import type * as Inspector from 'node:inspector';

export class InspectorSession {
  readonly #session: Inspector.Session;

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

  close(): void {
    this.#session.disconnect();
  }
}
