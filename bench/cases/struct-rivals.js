// Records of six numbers (two doubles, two floats, two integers) in class instances, in struct arrays of every order
// (compiled loops, cursors, columns), and in the libraries that people use for it: update of two fields, sum of one,
// read-modify-write at random; 2,000 records in cache, and a million out of it. Each library is used as its documentation
// says.
//
// Every comparison runs in processes of its own that hold class instances and one variant, so that no function has seen
// the types of another variant.
//
// What the libraries cannot do here, and how they stand in:
// - bitecs stores what it is given: its components are typed arrays, its loop goes over the entities of a query.
// - flatbuffers has no mutable vectors of structs of its own in JavaScript: `Row` is what `flatc --gen-mutable` writes.
// - typed-struct defines each property on each record, some 3 KB of them: it is left out at a million records.
// - koffi copies each value through its addon.
import * as bitecs from 'bitecs';
import { ByteBuffer } from 'flatbuffers';
import koffi from 'koffi';
import { View } from 'structurae';
import { Struct } from 'typed-struct';
import { f32, f64, u32 } from '../../dist/memory/struct/field-types.js';
import { struct } from '../../dist/memory/struct/struct-type.js';

const Row = struct('Row', { x: f64, y: f64, vx: f32, mass: f32, hits: u32, id: u32 });
const BYTES = 32;
const [X, Y, VX, MASS, HITS, ID] = [0, 8, 16, 20, 24, 28];

/** Values that every variant begins with: whole, so that sums do not depend on the format of `mass`. */
const start = (k) => ({ x: k * 0.5, y: k * 0.25, vx: k % 16, mass: k % 100, hits: 0, id: k });

class Particle {
  constructor({ x, y, vx, mass, hits, id }) {
    this.x = x;
    this.y = y;
    this.vx = vx;
    this.mass = mass;
    this.hits = hits;
    this.id = id;
  }
}

function bytesOf(count) {
  const rows = Row.array(count, { order: 'aos' });
  if (rows.sizeBytes !== count * BYTES)
    throw new Error('the layout of Row is not the one of the offsets above');
  for (let k = 0; k < count; k += 1) rows.set(k, start(k));
  return new Uint8Array(rows.buffer, rows.offsetBytes, rows.sizeBytes);
}

// --- One maker of { update, sum, random } per variant ----------------------------------------------------------------

function objects(count, places) {
  const all = Array.from({ length: count }, (_, k) => new Particle(start(k)));
  return {
    update: () => updateObjects(all),
    sum: () => sumObjects(all),
    random: () => {
      for (let k = 0; k < places.length; k += 1) all[places[k]].hits += 1;
    },
  };
}

function updateObjects(all) {
  for (let i = 0; i < all.length; i += 1) {
    const p = all[i];
    p.x += p.vx * 0.01;
    p.y += p.vx * 0.02;
  }
}

function sumObjects(all) {
  let sum = 0;
  for (let i = 0; i < all.length; i += 1) sum += all[i].mass;
  return sum;
}

const cursorOf = (order) => (count, places) => {
  const all = Row.array(count, { order });
  for (let k = 0; k < count; k += 1) all.set(k, start(k));
  const cursor = all.cursor();
  return {
    update: () => updateCursor(all, cursor),
    sum: () => sumCursor(all, cursor),
    random: () => randomCursor(places, cursor),
  };
};

function updateCursor(all, p) {
  for (let i = 0; i < all.length; i += 1) {
    p.index = i;
    p.x += p.vx * 0.01;
    p.y += p.vx * 0.02;
  }
}

function sumCursor(all, p) {
  let sum = 0;
  for (let i = 0; i < all.length; i += 1) {
    p.index = i;
    sum += p.mass;
  }
  return sum;
}

function randomCursor(places, p) {
  for (let k = 0; k < places.length; k += 1) {
    p.index = places[k];
    p.hits += 1;
  }
}

const compiledOf = (order) => (count, places) => {
  const all = Row.array(count, { order });
  for (let k = 0; k < count; k += 1) all.set(k, start(k));
  const update = all.compileLoop((p) => {
    p.x += p.vx * 0.01;
    p.y += p.vx * 0.02;
  });
  const sum = all.compileReduce((value, p) => value + p.mass, 0);
  const hit = all.compileLoop((p) => {
    p.hits += 1;
  });
  return { update: () => update(), sum: () => sum(), random: () => hit.at(places) };
};

function columns(count, places) {
  const all = Row.array(count, { order: 'soa' });
  for (let k = 0; k < count; k += 1) all.set(k, start(k));
  const { x, y, vx, hits } = all.columns;
  return {
    update: () => updateColumns(x, y, vx),
    sum: () => all.sum('mass'),
    random: () => randomColumn(places, hits),
  };
}

function updateColumns(x, y, vx) {
  for (let i = 0; i < x.length; i += 1) {
    x[i] += vx[i] * 0.01;
    y[i] += vx[i] * 0.02;
  }
}

function randomColumn(places, hits) {
  for (let k = 0; k < places.length; k += 1) hits[places[k]] += 1;
}

function withBitecs(count, places) {
  // Entities count from 1.
  const column = (Type) => new Type(count + 1);
  const P = {
    x: column(Float64Array),
    y: column(Float64Array),
    vx: column(Float32Array),
    mass: column(Float32Array),
    hits: column(Uint32Array),
    id: column(Uint32Array),
  };
  const world = bitecs.createWorld({ components: { P } });
  const entities = Uint32Array.from({ length: count }, (_, k) => {
    const entity = bitecs.addEntity(world);
    bitecs.addComponent(world, entity, P);
    for (const [name, value] of Object.entries(start(k))) P[name][entity] = value;
    return entity;
  });
  const chosen = places.map((place) => entities[place]);
  return {
    update: () => {
      const { x, y, vx } = P;
      for (const entity of bitecs.query(world, [P])) {
        x[entity] += vx[entity] * 0.01;
        y[entity] += vx[entity] * 0.02;
      }
    },
    sum: () => {
      const { mass } = P;
      let sum = 0;
      for (const entity of bitecs.query(world, [P])) sum += mass[entity];
      return sum;
    },
    random: () => randomColumn(chosen, P.hits),
  };
}

/** As `flatc --ts --gen-mutable` writes a struct. */
class FlatRow {
  bb = null;
  bb_pos = 0;
  __init(i, bb) {
    this.bb_pos = i;
    this.bb = bb;
    return this;
  }
  x() {
    return this.bb.readFloat64(this.bb_pos + X);
  }
  mutate_x(value) {
    this.bb.writeFloat64(this.bb_pos + X, value);
    return true;
  }
  y() {
    return this.bb.readFloat64(this.bb_pos + Y);
  }
  mutate_y(value) {
    this.bb.writeFloat64(this.bb_pos + Y, value);
    return true;
  }
  vx() {
    return this.bb.readFloat32(this.bb_pos + VX);
  }
  mass() {
    return this.bb.readFloat32(this.bb_pos + MASS);
  }
  hits() {
    return this.bb.readUint32(this.bb_pos + HITS);
  }
  mutate_hits(value) {
    this.bb.writeUint32(this.bb_pos + HITS, value);
    return true;
  }
  id() {
    return this.bb.readUint32(this.bb_pos + ID);
  }
}

function withFlatbuffers(count, places) {
  const bb = new ByteBuffer(bytesOf(count));
  const row = new FlatRow();
  return {
    update: () => {
      for (let i = 0; i < count; i += 1) {
        row.__init(i * BYTES, bb);
        row.mutate_x(row.x() + row.vx() * 0.01);
        row.mutate_y(row.y() + row.vx() * 0.02);
      }
    },
    sum: () => {
      let sum = 0;
      for (let i = 0; i < count; i += 1) sum += row.__init(i * BYTES, bb).mass();
      return sum;
    },
    random: () => {
      for (let k = 0; k < places.length; k += 1) {
        row.__init(places[k] * BYTES, bb);
        row.mutate_hits(row.hits() + 1);
      }
    },
  };
}

function withStructurae(count, places) {
  const number = (btype) => ({ type: 'number', btype });
  const protocol = new View();
  const Item = protocol.create({
    $id: 'Row',
    type: 'object',
    properties: {
      x: number('float64'),
      y: number('float64'),
      vx: number('float32'),
      mass: number('float32'),
      hits: number('uint32'),
      id: number('uint32'),
    },
  });
  const bytes = bytesOf(count);
  // Structurae is little-endian, and so is every machine that Node 20 is built for but one.
  const rows = Array.from(
    { length: count },
    (_, k) => new Item(bytes.buffer, bytes.byteOffset + k * BYTES, BYTES),
  );
  return {
    update: () => {
      for (let i = 0; i < count; i += 1) {
        const p = rows[i];
        const vx = p.get('vx');
        p.set('x', p.get('x') + vx * 0.01);
        p.set('y', p.get('y') + vx * 0.02);
      }
    },
    sum: () => {
      let sum = 0;
      for (let i = 0; i < count; i += 1) sum += rows[i].get('mass');
      return sum;
    },
    random: () => {
      for (let k = 0; k < places.length; k += 1) {
        const p = rows[places[k]];
        p.set('hits', p.get('hits') + 1);
      }
    },
  };
}

function withTypedStruct(count, places) {
  const Item = new Struct('Row')
    .Float64LE('x')
    .Float64LE('y')
    .Float32LE('vx')
    .Float32LE('mass')
    .UInt32LE('hits')
    .UInt32LE('id')
    .compile();
  const { all } = new (new Struct('Rows').StructArray('all', Item, count).compile())();
  for (let k = 0; k < count; k += 1) Object.assign(all[k], start(k));
  return {
    update: () => {
      for (let i = 0; i < count; i += 1) {
        const p = all[i];
        p.x += p.vx * 0.01;
        p.y += p.vx * 0.02;
      }
    },
    sum: () => {
      let sum = 0;
      for (let i = 0; i < count; i += 1) sum += all[i].mass;
      return sum;
    },
    random: () => {
      for (let k = 0; k < places.length; k += 1) all[places[k]].hits += 1;
    },
  };
}

function withKoffi(count, places) {
  const bytes = Buffer.from(bytesOf(count));
  const get = (row, offset, type) => koffi.decode(bytes, row * BYTES + offset, type);
  const set = (row, offset, type, value) => koffi.encode(bytes, row * BYTES + offset, type, value);
  return {
    update: () => {
      for (let i = 0; i < count; i += 1) {
        const vx = get(i, VX, 'float');
        set(i, X, 'double', get(i, X, 'double') + vx * 0.01);
        set(i, Y, 'double', get(i, Y, 'double') + vx * 0.02);
      }
    },
    sum: () => {
      let sum = 0;
      for (let i = 0; i < count; i += 1) sum += get(i, MASS, 'float');
      return sum;
    },
    random: () => {
      for (let k = 0; k < places.length; k += 1) {
        set(places[k], HITS, 'uint32_t', get(places[k], HITS, 'uint32_t') + 1);
      }
    },
  };
}

const MAKERS = {
  'class instances': objects,
  'struct, compiled, aos': compiledOf('aos'),
  'struct, compiled, soa': compiledOf('soa'),
  'struct, compiled, aosoa': compiledOf('aosoa'),
  'struct, cursor, aos': cursorOf('aos'),
  'struct, cursor, soa': cursorOf('soa'),
  'struct, cursor, aosoa': cursorOf('aosoa'),
  'struct, columns': columns,
  bitecs: withBitecs,
  flatbuffers: withFlatbuffers,
  structurae: withStructurae,
  'typed-struct': withTypedStruct,
  koffi: withKoffi,
};

/** Every place once, shuffled; the same in every process. */
function shuffled(count) {
  const places = Uint32Array.from({ length: count }, (_, k) => k);
  let seed = 12_345;
  for (let k = count - 1; k > 0; k -= 1) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const other = seed % (k + 1);
    [places[k], places[other]] = [places[other], places[k]];
  }
  return places;
}

/** Records are made by the first call of a variant, so that a process holds those that it compares, not all. */
function caseOf(title, task, count) {
  const names = Object.keys(MAKERS).filter((name) => name !== 'typed-struct' || count <= 2_000);
  return {
    name: `${title}, ${count.toLocaleString('en')} records`,
    setup: () => ({ places: shuffled(count), made: new Map() }),
    variants: Object.fromEntries(
      names.map((name) => [
        name,
        ({ places, made }) => {
          let variant = made.get(name);
          if (variant === undefined) {
            variant = MAKERS[name](count, places);
            made.set(name, variant);
          }
          return variant[task]();
        },
      ]),
    ),
  };
}

/** @type {import('../../dist/validation/bench.js').BenchCase[]} */
export default [2_000, 1_000_000].flatMap((count) => [
  caseOf('update of two fields', 'update', count),
  caseOf('sum of one field', 'sum', count),
  caseOf('read-modify-write at random', 'random', count),
]);
