/** Places members as the System V ABI does: each at the next multiple of its alignment. */
import { roundUp } from '../arguments.js';
import type { StructNode } from '../struct/field-types.js';
import { opaqueType, type CType } from './c-types.js';
import { Unsupported } from './unsupported.js';
import type { Token } from './tokens.js';

const MAX_BYTES = 2 ** 31;

export interface LaidOutField {
  readonly name: string;
  readonly type: CType;
  readonly alignBytes: number;
  readonly offsetBytes: number;
  readonly token: Token;
}

export class StructLayout {
  readonly fields: LaidOutField[] = [];
  sizeBytes = 0;
  alignBytes = 1;
  private readonly isUnion: boolean;
  private anonymous = 0;

  constructor(isUnion: boolean) {
    this.isUnion = isUnion;
  }

  /** @param alignBytes what the member asks for beyond its type; 0: nothing */
  add(name: Token | undefined, type: CType, alignBytes: number, token: Token): void {
    if (type.problem !== undefined) {
      const where = ` (field "${name?.text ?? 'anonymous'}")`;
      throw new Unsupported(`${type.problem}${where}`, token, type.cause ?? type.problem);
    }
    const align = Math.max(type.alignBytes, alignBytes);
    const offsetBytes = this.isUnion ? 0 : roundUp(this.sizeBytes, align);
    const text = name?.text ?? `anonymous_${(this.anonymous += 1)}`;
    if (this.fields.some((field) => field.name === text))
      throw new Unsupported(`two fields "${text}"`, token);
    this.fields.push({ name: text, type, alignBytes: align, offsetBytes, token });
    this.sizeBytes = Math.max(this.sizeBytes, offsetBytes + type.sizeBytes);
    this.alignBytes = Math.max(this.alignBytes, align);
    if (this.sizeBytes > MAX_BYTES) throw new Unsupported('larger than 2 GiB', token);
  }

  finish(alignBytes: number, token: Token): void {
    if (this.fields.length === 0) throw new Unsupported('no fields', token);
    this.alignBytes = Math.max(this.alignBytes, alignBytes);
    this.sizeBytes = roundUp(this.sizeBytes, this.alignBytes);
  }

  /** As the type of a member. */
  type(text: string, name: string): CType {
    const node = this.node(name);
    if (node === undefined) return opaqueType(text, this.sizeBytes, this.alignBytes);
    return { text, sizeBytes: this.sizeBytes, alignBytes: this.alignBytes, node };
  }

  /** Undefined for a union, and where a field is of a type that this library has not. */
  node(name: string): StructNode | undefined {
    if (this.isUnion || this.fields.some(({ type }) => type.node === undefined)) return undefined;
    return {
      kind: 'struct',
      name: name === '' ? 'anonymous' : name,
      sizeBytes: this.sizeBytes,
      alignBytes: this.alignBytes,
      fields: this.fields.map(({ name: field, offsetBytes, type }) => ({
        name: field,
        offsetBytes,
        node: type.node as StructNode,
      })),
    };
  }
}
