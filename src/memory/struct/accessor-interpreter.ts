/**
 * The same accessor classes as `accessor-codegen.ts`, without generating code: closures over the access plan. For
 * processes that run with `--disallow-code-generation-from-strings`. Several times slower, equal in behaviour; one
 * test suite runs over both.
 */
import { BLOCK_SHIFT, type AccessNode, type AccessPlan, type IndexForm } from './access-plan.js';
import {
  elementOutOfRange,
  enumTable,
  indexOutOfRange,
  readText,
  requireFlags,
  requireRecord,
  requireValues,
  unknownName,
  unknownNumber,
  writeText,
  type CursorClass,
  type CursorHost,
} from './accessor-runtime.js';

type Node<K extends AccessNode['kind']> = AccessNode & { readonly kind: K };

/** What every accessor below a cursor shares. */
interface Context {
  readonly host: CursorHost;
  /** The record that the cursor stands on. */
  readonly place: { record: number };
}

/** Position of an element within the array around it. */
interface Element {
  k: number;
}

interface Composite {
  readonly toObject: () => unknown;
  readonly assign: (values: unknown) => unknown;
}

/** @param ownElements whether each `.at(k)` gives an accessor of its own, instead of the one that moves */
export function interpretCursorClass(plan: AccessPlan, ownElements = false): CursorClass {
  const make = structMaker(plan.root, ownElements);
  return class {
    constructor(host: CursorHost) {
      const place = { record: 0 };
      const cursor = make({ host, place }, []);
      Object.defineProperties(cursor, {
        array: { get: () => host },
        index: {
          get: () => place.record,
          set: (index: number) => {
            if (typeof index !== 'number' || host.guard[index] === undefined) indexOutOfRange(host, index);
            place.record = index | 0;
          },
        },
      });
      return cursor;
    }
  } as unknown as CursorClass;
}

type Maker = (context: Context, around: readonly Element[]) => Composite;

function structMaker(node: Node<'struct'>, ownElements: boolean): Maker {
  const makers = node.members.map((member) => ({
    ...member,
    make: maker(member.access, ownElements),
  }));
  const shown = makers.filter(({ isHidden = false }) => !isHidden);
  const names = makers.map(({ name }) => name);
  return (context, around) => {
    const self: Record<string, unknown> = {};
    for (const { name, access, make } of makers) {
      if (access.kind === 'leaf') {
        const { read, write } = leafAccess(access, context, around);
        Object.defineProperty(self, name, { get: () => read(0), set: (value: unknown) => write(0, value) });
        continue;
      }
      const child = (make as Maker)(context, around);
      Object.defineProperty(self, name, { get: () => child, set: (value: unknown) => child.assign(value) });
    }
    const toObject = () =>
      Object.fromEntries(
        shown.map(({ name, access }) => [
          name,
          access.kind === 'leaf' ? self[name] : (self[name] as Composite).toObject(),
        ]),
      );
    return withMethods(self, {
      toObject,
      assign(values: unknown) {
        const given = requireRecord(node.path, values);
        if (node.isFlags === true) requireFlags(node.path, names, given);
        for (const { name } of makers) if (given[name] !== undefined) self[name] = given[name];
        return self;
      },
    });
  };
}

function maker(access: AccessNode, ownElements: boolean): Maker | undefined {
  if (access.kind === 'leaf') return undefined;
  return access.kind === 'struct' ? structMaker(access, ownElements) : arrayMaker(access, ownElements);
}

function arrayMaker({ element, count, path }: Node<'array'>, ownElements: boolean): Maker {
  const check = (k: number) => {
    if (k >>> 0 !== k || k >= count) elementOutOfRange(path, count, k);
  };
  if (element.kind === 'leaf') {
    return (context, around) => {
      const { read, write } = leafAccess(element, context, around);
      const toObject = () => Array.from({ length: count }, (_, k) => read(k));
      const self = {
        length: count,
        get: (k: number) => (check(k), read(k)),
        set: (k: number, value: unknown) => (check(k), write(k, value)),
        [Symbol.iterator]: () => toObject()[Symbol.iterator](),
      };
      return withMethods(self, {
        toObject,
        assign(values: unknown) {
          requireValues(path, values, count).forEach((value, k) => self.set(k, value));
          return self;
        },
      });
    };
  }
  const make = maker(element, ownElements) as Maker;
  return (context, around) => {
    const place: Element = { k: 0 };
    const item = make(context, [...around, place]);
    const at = (k: number) => {
      check(k);
      if (ownElements) return make(context, [...around, { k }]);
      place.k = k;
      return item;
    };
    const self = { length: count, at };
    return withMethods(self, {
      toObject: () => Array.from({ length: count }, (_, k) => at(k).toObject()),
      assign(values: unknown) {
        requireValues(path, values, count).forEach((value, k) => at(k).assign(value));
        return self;
      },
    });
  };
}

/** Methods are not enumerable, as those of a class are not. */
function withMethods(self: object, methods: Composite): Composite {
  return Object.defineProperties(self, {
    toObject: { value: methods.toObject },
    assign: { value: methods.assign },
    toJSON: { value: methods.toObject },
    [Symbol.for('nodejs.util.inspect.custom')]: { value: methods.toObject },
  }) as Composite;
}

/** Reads and writes of a leaf; `k` is the index within the innermost array where the leaf is its element. */
function leafAccess(leaf: Node<'leaf'>, { host, place }: Context, around: readonly Element[]) {
  const view = host.views[leaf.view] as unknown as unknown[];
  const typed = view as unknown as Uint8Array;
  const index = (k: number) => indexOf(leaf.index, place.record, around, k);
  const { codec, path } = leaf;
  switch (codec.kind) {
    case 'number':
      return {
        read: (k: number) => view[index(k)],
        write: (k: number, value: unknown) => void (view[index(k)] = value),
      };
    case 'bool':
      return {
        read: (k: number) => view[index(k)] !== 0,
        write: (k: number, value: unknown) => void (view[index(k)] = value ? 1 : 0),
      };
    case 'bit': {
      const { mask } = codec;
      return {
        read: (k: number) => ((view[index(k)] as number) & mask) !== 0,
        write: (k: number, value: unknown) => {
          const at = index(k);
          const bits = view[at] as number;
          view[at] = value ? bits | mask : bits & ~mask;
        },
      };
    }
    case 'utf8':
      return {
        read: (k: number) => readText(typed, index(k), codec.bytes),
        write: (k: number, value: unknown) => writeText(typed, index(k), codec.bytes, value, path),
      };
    case 'enum': {
      const { names, codes } = enumTable(codec);
      return {
        read: (k: number) => names[view[index(k)] as number] ?? unknownNumber(path, view[index(k)]),
        write: (k: number, value: unknown) =>
          void (view[index(k)] = codes[value as string] ?? unknownName(path, codes, value)),
      };
    }
  }
}

function indexOf(form: IndexForm, record: number, around: readonly Element[], k: number): number {
  const { stride, blockStride, constant, dimensions } = form;
  let index =
    constant +
    (blockStride === undefined
      ? record * stride
      : (record >> BLOCK_SHIFT) * blockStride + (record & (2 ** BLOCK_SHIFT - 1)) * stride);
  dimensions.forEach((each, d) => {
    index += each * (around[d]?.k ?? k);
  });
  return index;
}
