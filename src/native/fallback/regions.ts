/**
 * Regions as ordinary buffers. Their address cannot be known, so no alignment beyond V8's own is promised;
 * `alignmentBytes` of the grant says so. Huge pages and memory nodes cannot be had.
 */
import { checkBoolean, checkFloat64Array, checkInteger, checkNumber, checkView } from '../arguments.js';
import type { NativeContract, RegionGrant } from '../contract.js';
import { systemError } from './system-error.js';

/** What V8 promises for the start of every buffer. */
const BUFFER_ALIGNMENT_BYTES = 8;
const MAX_REGION_BYTES = 2 ** 40;
const MAX_ALIGNMENT_BYTES = 2 ** 30;
const MAX_NODE = 1023;

type Regions = Pick<
  NativeContract,
  | 'regionCreate'
  | 'regionClose'
  | 'regionTrim'
  | 'regionResidency'
  | 'regionCount'
  | 'addressOf'
  | 'adviseHugePages'
  | 'bindToNode'
  | 'discardShared'
  | 'viewResidency'
>;

export function createRegions(): Regions {
  // Weakly held: an unreachable buffer takes its region with it, as with the addon.
  const open = new Map<number, WeakRef<ArrayBuffer>>();
  const collected = new FinalizationRegistry((id: number) => open.delete(id));
  let nextId = 1;

  const find = (id: unknown): ArrayBuffer => {
    const buffer = open.get(checkNumber(id, 'id'))?.deref();
    if (!buffer) throw new RangeError('id is not that of an open region');
    return buffer;
  };

  return {
    regionCreate(sizeBytes, alignmentBytes, hugePages, prefault): RegionGrant {
      const size = checkInteger(sizeBytes, 'sizeBytes', 1, MAX_REGION_BYTES);
      const alignment = checkInteger(alignmentBytes, 'alignmentBytes', 8, MAX_ALIGNMENT_BYTES);
      if (!Number.isInteger(Math.log2(alignment))) {
        throw new RangeError(`alignmentBytes is ${alignment}; pass a power of two`);
      }
      checkInteger(hugePages, 'hugePages', 0, 2);
      checkBoolean(prefault, 'prefault');
      const what = `a region of ${size} bytes`;
      if (hugePages === 2) throw systemError('ENOTSUP', 'madvise', what);
      let buffer: ArrayBuffer;
      try {
        buffer = new ArrayBuffer(size);
        // The system gives pages of zeros at their first write.
        if (prefault) new Uint8Array(buffer).fill(0);
      } catch {
        throw systemError('ENOMEM', 'ArrayBuffer', what);
      }
      const id = nextId++;
      open.set(id, new WeakRef(buffer));
      collected.register(buffer, id);
      return {
        id,
        buffer,
        source: 'array-buffer',
        offsetBytes: 0,
        sizeBytes: size,
        alignmentBytes: Math.min(alignment, BUFFER_ALIGNMENT_BYTES),
        hugePages: hugePages === 0 ? 'none' : 'refused',
        prefaulted: prefault,
      };
    },

    regionClose(id) {
      const buffer = open.get(checkNumber(id, 'id'))?.deref();
      if (!open.delete(id)) return false;
      // Transferring detaches; the copy that receives the memory is dropped at once.
      if (buffer && buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] });
      return true;
    },

    regionTrim(id, offsetBytes, lengthBytes) {
      const buffer = find(id);
      const offset = checkInteger(offsetBytes, 'offsetBytes', 0, Number.MAX_SAFE_INTEGER);
      const length = checkInteger(lengthBytes, 'lengthBytes', 0, Number.MAX_SAFE_INTEGER);
      if (offset + length > buffer.byteLength) {
        throw new RangeError(`the range lies outside the region's ${buffer.byteLength} bytes`);
      }
      return 0;
    },

    regionResidency(id, out) {
      checkFloat64Array(out, 'out', 2);
      find(id);
      out.fill(NaN, 0, 2);
    },

    regionCount: () => open.size,

    addressOf(view) {
      checkView(view, 'view');
      return 0n;
    },

    adviseHugePages(view) {
      checkView(view, 'view');
      return false;
    },

    bindToNode(view, node) {
      checkView(view, 'view');
      checkInteger(node, 'node', 0, MAX_NODE);
      throw systemError('ENOSYS', 'mbind', 'memory, without the native addon');
    },

    discardShared(view) {
      if (checkView(view, 'view').buffer instanceof ArrayBuffer) {
        throw new TypeError('view must be over a SharedArrayBuffer');
      }
      return 0;
    },

    viewResidency(view, out) {
      checkView(view, 'view');
      checkFloat64Array(out, 'out', 2).fill(NaN, 0, 2);
    },
  };
}
