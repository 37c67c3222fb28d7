/** What a settings tree asks for, in terms of candidates and questions. */
import type { ArrayOrder, MemoryChoice, StructPacking } from '../model/choice.js';
import type { MemorySettings } from '../settings/memory.js';
import type { AccessPattern } from './access-pattern.js';

/** A question beside the main one, answered by a comparison of its own. */
export type Study = 'loop_fusion' | 'scope_minimization' | 'object_pools' | 'thread_arena' | 'buddy_system';

export interface MemoryRequest {
  /** Undefined leaves the packing open: all are candidates. */
  readonly packing: StructPacking | undefined;
  readonly cacheLineBytes: 64 | 128 | undefined;
  readonly access: AccessPattern['access'];
  /** Whether orders other than the present one are candidates. */
  readonly compareOrders: boolean;
  /** Whether fields that are used together are to come first. */
  readonly clusterHot: boolean;
  readonly studies: readonly Study[];
  /** Node flags to try, one list per program start. */
  readonly flags: readonly string[];
}

const ORDERS: readonly ArrayOrder[] = ['aos', 'soa', 'aosoa'];
const PACKINGS: readonly StructPacking[] = ['minimal_padding', 'cache_line', 'declared'];
const YOUNG_MIB = [32, 64, 128];
const OLD_MIB = [1024, 4096];

export function readRequest(settings: MemorySettings): MemoryRequest {
  const { cacheOptimization, memoryAllocation, runtime } = settings;
  const alignment = cacheOptimization?.dataAlignment;
  const spatial = cacheOptimization?.cacheLocality?.spatialLocality;
  const temporal = cacheOptimization?.cacheLocality?.temporalLocality;
  const pooling = memoryAllocation?.poolingStrategy;
  const studies: Study[] = [];
  if (temporal?.dataReuse !== undefined) studies.push('loop_fusion');
  if (temporal?.variableLifetime !== undefined) studies.push('scope_minimization');
  if (pooling?.objectPools !== undefined) studies.push('object_pools');
  if (pooling?.arenaAllocation !== undefined) studies.push('thread_arena');
  if (pooling?.fragmentationPrevention !== undefined) studies.push('buddy_system');
  const pattern = alignment?.memoryAccessPatterns;
  return {
    packing: alignment?.structPacking,
    cacheLineBytes: alignment?.cacheLineOptimization,
    access: pattern === 'sequential_access' ? 'sequential' : pattern === 'random_access' ? 'random' : 'mixed',
    compareOrders: spatial?.arrayTraversal !== undefined || pattern !== undefined,
    clusterHot: spatial?.dataClustering !== undefined,
    studies,
    flags: [
      ...sizes(runtime?.youngGeneration, YOUNG_MIB).map((mib) => `--max-semi-space-size=${mib}`),
      ...sizes(runtime?.oldGeneration, OLD_MIB).map((mib) => `--max-old-space-size=${mib}`),
    ],
  };
}

/** Layouts to try against the present one, which is left out. */
export function layoutCandidates(
  request: MemoryRequest,
  present: MemoryChoice,
  hot: readonly string[] | undefined,
  writers?: MemoryChoice['writers'],
): MemoryChoice[] {
  const packings = request.packing === undefined ? PACKINGS : [request.packing];
  const orders = request.compareOrders ? ORDERS : [present.order];
  const candidates: MemoryChoice[] = [];
  for (const packing of packings) {
    for (const order of orders) {
      // Columns have no padding: packings differ there only in what nested copies look like, so one will do.
      if (order !== 'aos' && packing !== packings[0]) continue;
      const candidate: MemoryChoice = {
        kind: 'memory',
        packing,
        cacheLineBytes: request.cacheLineBytes ?? present.cacheLineBytes,
        order,
        ...(hot === undefined || hot.length === 0 ? {} : { hot }),
        ...(present.writers === undefined ? {} : { writers: present.writers }),
      };
      candidates.push(candidate);
      // Lines apart cost room, so that both are measured. Columns of different fields share none anyway.
      if (writers !== undefined && order === 'aos' && packing !== 'declared') {
        candidates.push({ ...candidate, writers });
      }
    }
  }
  const key = ({ packing, cacheLineBytes, order, hot: fields, writers: groups }: MemoryChoice) =>
    JSON.stringify([order, packing, cacheLineBytes, fields ?? [], groups ?? {}]);
  return candidates.filter((candidate) => key(candidate) !== key(present));
}

export function describeChoice({ packing, order, cacheLineBytes, hot, writers }: MemoryChoice): string {
  const first = hot && hot.length > 0 ? `, hot ${hot.join(' ')}` : '';
  const apart =
    writers === undefined
      ? ''
      : `, apart ${Object.values(writers)
          .map((names) => names.join(' '))
          .join(' | ')}`;
  return `${order}, ${packing}, line ${cacheLineBytes}${apart}${first}`;
}

function sizes(value: number | boolean | undefined, usual: readonly number[]): readonly number[] {
  return value === true ? usual : typeof value === 'number' ? [value] : [];
}
