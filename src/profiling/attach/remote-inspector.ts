/** The inspector of another process over its WebSocket. Commands are asynchronous; V8 answers them between two steps of the program, also of a blocked one. */
import { get } from 'node:http';
import { WebSocket } from 'ws';
import type { ListeningPort } from './node-process.js';

const HTTP_TIMEOUT_MS = 2000;

type Answer = { readonly result?: unknown; readonly error?: { readonly message: string } };

export class RemoteInspector {
  /** Names this opening of the inspector: Node makes a new UUID for its path each time, and declines any other. */
  readonly url: string;
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, (answer: Answer) => void>();
  readonly #listeners = new Map<string, Set<(params: unknown) => void>>();
  #nextId = 1;
  /** Resolves when the connection ended, by either side. */
  readonly closed: Promise<void>;

  private constructor(url: string, socket: WebSocket) {
    this.url = url;
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        for (const answer of this.#pending.values()) answer({ error: { message: 'the connection ended' } });
        this.#pending.clear();
        resolve();
      });
    });
    socket.on('error', () => socket.terminate());
    socket.on('message', (data: Buffer) => this.#receive(data.toString('utf8')));
  }

  /**
   * The inspector behind a port of the loopback.
   *
   * @returns undefined where what listens there is no inspector.
   */
  static async connect(at: ListeningPort): Promise<RemoteInspector | undefined> {
    const url = await webSocketUrl(at);
    return url === undefined ? undefined : RemoteInspector.reconnect(url);
  }

  /**
   * The inspector with this URL and no other, also where one was opened on its port since.
   *
   * @returns undefined where it is closed, or does not answer.
   */
  static async reconnect(url: string): Promise<RemoteInspector | undefined> {
    const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: HTTP_TIMEOUT_MS });
    const session = new RemoteInspector(url, socket);
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('open', () => resolve(true));
      socket.once('close', () => resolve(false));
    });
    return isOpen ? session : undefined;
  }

  /** @throws Error with V8's message; where the connection ends first, with that. */
  async post<T>(method: string, params: object = {}): Promise<T> {
    const id = this.#nextId++;
    const { result, error } = await new Promise<Answer>((resolve) => {
      this.#pending.set(id, resolve);
      if (this.#socket.readyState !== WebSocket.OPEN) resolve({ error: { message: 'the connection ended' } });
      else this.#socket.send(JSON.stringify({ id, method, params }));
    });
    this.#pending.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  /** The value of an expression in the process' main context. `require` is there, as in a debugger's console. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.post<{
      result: { value?: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>('Runtime.evaluate', { expression, includeCommandLineAPI: true, returnByValue: true, silent: true });
    if (exceptionDetails !== undefined) {
      const { text, exception } = exceptionDetails;
      throw new Error((exception?.description ?? text).split('\n')[0]);
    }
    return result.value as T;
  }

  on(method: string, listener: (params: unknown) => void): void {
    const listeners = this.#listeners.get(method) ?? new Set();
    this.#listeners.set(method, listeners.add(listener));
  }

  off(method: string, listener: (params: unknown) => void): void {
    this.#listeners.get(method)?.delete(listener);
  }

  async close(): Promise<void> {
    this.#socket.close();
    const timer = setTimeout(() => this.#socket.terminate(), HTTP_TIMEOUT_MS);
    await this.closed;
    clearTimeout(timer);
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as Answer & { id?: number; method?: string; params?: unknown };
    if (message.id !== undefined) this.#pending.get(message.id)?.(message);
    else for (const listener of this.#listeners.get(message.method ?? '') ?? []) listener(message.params);
  }
}

/** Asked only of ports that can be the inspector's: a service must not see our requests. */
export function webSocketUrl({ host, port }: ListeningPort): Promise<string | undefined> {
  return new Promise((resolve) => {
    const none = () => resolve(undefined);
    const address = host === '0.0.0.0' ? '127.0.0.1' : host;
    const request = get(
      { host: address, port, path: '/json/list', agent: false, timeout: HTTP_TIMEOUT_MS },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('error', none);
        response.on('end', () => {
          try {
            const [target] = JSON.parse(body) as { webSocketDebuggerUrl?: string }[];
            resolve(target?.webSocketDebuggerUrl);
          } catch {
            none();
          }
        });
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', none);
  });
}
