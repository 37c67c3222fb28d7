import type { Token } from './tokens.js';

/** Something that cannot be laid out, and where it stands. Never leaves this folder. */
export class Unsupported extends Error {
  readonly reason: string;
  readonly token: Token;
  /** What is unsupported in the end, where a type within a type is. */
  override readonly cause: string;

  constructor(reason: string, token: Token, cause = reason) {
    super(reason);
    this.cause = cause;
    this.reason = reason;
    this.token = token;
  }
}
