/** A type whose cursors count accesses per field, to learn from a workload which fields are hot. */
import { canGenerate } from './struct/accessor-codegen.js';
import type { AccessPlan } from './struct/access-plan.js';
import type { CursorClass, CursorHost } from './struct/accessor-runtime.js';
import type { StructDescriptor } from './struct/descriptor.js';
import { StructType } from './struct/struct-type.js';

export class RecordingType extends StructType {
  /** Accesses by field so far, through cursors only: columns are plain typed arrays and cannot count. */
  readonly accesses: Record<string, number> = {};

  constructor({ node, choice, writers }: StructDescriptor) {
    const nodes = node.fields.map((field) => ({ name: field.name, node: field.node }));
    super(node.name, nodes, writers, { ...choice, source: 'declared' }, node);
  }

  protected override cursorClassFor(plan: AccessPlan): CursorClass {
    const made = super.cursorClassFor(plan);
    const { accesses } = this;
    const count = (target: object, name: string, from: object) => {
      const original = Object.getOwnPropertyDescriptor(from, name);
      if (original?.get === undefined) return;
      Object.defineProperty(target, name, {
        configurable: true,
        get(this: unknown): unknown {
          accesses[name] = (accesses[name] ?? 0) + 1;
          return original.get?.call(this) as unknown;
        },
        set(this: unknown, value: unknown) {
          accesses[name] = (accesses[name] ?? 0) + 1;
          original.set?.call(this, value);
        },
      });
    };
    const names = plan.root.members.map((member) => member.name);
    if (canGenerate()) {
      const Counting = class extends made {};
      for (const name of names) count(Counting.prototype, name, made.prototype as object);
      return Counting;
    }
    // Interpreted cursors carry their properties themselves; those that are configurable are wrapped.
    return class {
      constructor(host: CursorHost) {
        const cursor = new made(host);
        const counting = Object.create(cursor) as object;
        for (const name of names) count(counting, name, cursor);
        return counting;
      }
    } as unknown as CursorClass;
  }
}
