/** Sampled allocation as figures: bytes by the user's responsible function, allocated and still live. */
import type { AllocationSite, StackNode } from '../../model/signals.js';
import { shownName } from '../cpu/call-tree.js';
import { FrameResolver, type Frame } from '../cpu/frames.js';
import { isLoaderFrame } from '../cpu/operation.js';
import { isTracing } from '../cpu/own-time.js';
import type { RawHeapNode, RawHeapProfile } from '../cpu/raw.js';
import type { SourceIndex } from '../source/source-index.js';

export interface HeapSummary {
  readonly sites: AllocationSite[];
  /** Over the whole window, estimated from the part in which collected objects were kept. */
  readonly allocatedBytes: number;
  readonly callTree: StackNode | null;
}

interface Site {
  readonly frame: Frame;
  /** Bytes by the function that the responsible one called; empty name for its own. */
  readonly through: Map<string, number>;
  allocatedBytes: number;
  /** The part of `allocatedBytes` that Node's own functions below this one allocated. */
  nodeBytes: number;
  liveBytes: number;
}

export interface HeapProfiles {
  readonly churn: RawHeapProfile;
  readonly live: RawHeapProfile | undefined;
  /** Length of the window over the length of the churn part. */
  readonly scale: number;
  readonly sources: SourceIndex;
  readonly maxSites: number;
}

export function summariseHeapProfile(profiles: HeapProfiles): HeapSummary {
  const frames = new FrameResolver(profiles.sources);
  const sites = new Map<string, Site>();
  const visit = (
    node: RawHeapNode,
    stack: readonly Frame[],
    bytes: (site: Site, selfSize: number, inNode: boolean) => void,
    isKept: boolean,
  ) => {
    const frame = frames.resolve(node.callFrame);
    const path = node.callFrame.functionName === '(root)' ? stack : [...stack, frame];
    if (node.selfSize > 0 && frame.origin !== 'own' && !isOfTool(path)) {
      const { responsible, callee, inNode } = responsibleFrame(path, frames, isKept);
      let site = sites.get(responsible.key);
      if (site === undefined) {
        site = { frame: responsible, through: new Map(), allocatedBytes: 0, nodeBytes: 0, liveBytes: 0 };
        sites.set(responsible.key, site);
      }
      site.through.set(callee, (site.through.get(callee) ?? 0) + node.selfSize);
      bytes(site, node.selfSize, inNode);
    }
    for (const child of node.children) visit(child, path, bytes, isKept);
  };
  const allocate = (site: Site, size: number, inNode: boolean) => {
    site.allocatedBytes += size * profiles.scale;
    if (inNode) site.nodeBytes += size * profiles.scale;
  };
  const keep = (site: Site, size: number) => {
    site.liveBytes += size;
  };
  visit(profiles.churn.head, [], allocate, false);
  if (profiles.live !== undefined) visit(profiles.live.head, [], keep, true);
  const allocatedBytes = [...sites.values()].reduce((sum, site) => sum + site.allocatedBytes, 0);
  const callTree = treeOf(profiles.churn.head, frames, profiles.scale);
  return {
    sites: [...sites.values()]
      .sort((a, b) => b.allocatedBytes - a.allocatedBytes || b.liveBytes - a.liveBytes)
      .filter((site, index, all) => index < profiles.maxSites || site.liveBytes > liveFloor(all))
      .map((site) => ({
        location: frames.location(site.frame),
        allocatedBytes: site.allocatedBytes,
        share: allocatedBytes === 0 ? 0 : site.allocatedBytes / allocatedBytes,
        nodeShare: site.allocatedBytes === 0 ? 0 : site.nodeBytes / site.allocatedBytes,
        ...(profiles.live === undefined ? {} : { liveBytes: site.liveBytes }),
        ...throughOf(site),
        ...boundOf(site, profiles.sources),
        origin: site.frame.origin === 'own' ? ('dependency' as const) : site.frame.origin,
      })),
    allocatedBytes,
    callTree: callTree.value === 0 ? null : callTree,
  };
}

/** What the tool called, such as its parser; what it only passes on to Node is the program's. */
function isOfTool(path: readonly Frame[]): boolean {
  const own = path.findLastIndex(({ origin, file, name }) => origin === 'own' && !isTracing(file, name));
  return own >= 0 && !path.slice(own).some(({ origin }) => origin === 'user');
}

/** A site that holds a tenth of what is live is worth keeping however little it allocates. */
function liveFloor(sites: readonly Site[]): number {
  return sites.reduce((sum, site) => sum + site.liveBytes, 0) / 10;
}

/**
 * The user's innermost function, inlined or not; else the innermost dependency's; else the outermost frame.
 *
 * V8's allocation profile walks physical frames and gives no position within them, so that a function which was
 * inlined is lost without a trace; the CPU profile's way out, the line of a sample, does not exist here. What the
 * source says is what is left: who calls what stands below, who makes objects and, for those that live on, who keeps
 * them. Switching inlining off during the run would tell, and would change what the program allocates.
 */
function responsibleFrame(
  path: readonly Frame[],
  frames: FrameResolver,
  isKept: boolean,
): { responsible: Frame; callee: string; inNode: boolean } {
  let at = path.findLastIndex((frame) => frame.origin === 'user');
  if (at < 0) at = path.findLastIndex((frame) => frame.origin === 'dependency');
  if (at < 0)
    return { responsible: path.find((frame) => !isLoaderFrame(frame)) ?? path[0]!, callee: '', inNode: true };
  const callee = path[at + 1]?.name ?? '';
  const inNode = path.slice(at + 1).some(({ origin }) => origin === 'node');
  const shown = path[at]!;
  if (shown.function !== null) {
    const { sources } = frames;
    const inlined =
      sources.inlinedCaller(shown.file, shown.function, callee) ??
      (isKept && callee === '' ? sources.inlinedKeeper(shown.file, shown.function) : null);
    if (inlined !== null)
      return { responsible: frames.ofFunction(shown.file, shown.origin, inlined), callee, inNode };
  }
  let frame = shown;
  for (let above = at - 1; above >= 0; above -= 1) {
    if (!frame.isUnnamed || frame.function?.parent == null) break;
    const candidate = path[above]!;
    if (candidate.function !== null && candidate.function === frame.function.parent) frame = candidate;
  }
  return { responsible: frame, callee, inNode };
}

/** Closures handed to `on` are made by the caller itself, so the source has to tell where they go. */
function throughOf(site: Site): { through?: string } {
  const callee = dearest(site.through);
  if (callee !== '') return { through: callee };
  const callees = site.frame.function?.callees ?? new Set<string>();
  const listens = LISTENING.find((name) => callees.has(name));
  const keeps = KEEPING.some((name) => callees.has(name));
  return listens === undefined || keeps ? {} : { through: listens };
}

/** Only where something lives on: it means a look into the source. */
function boundOf({ frame, liveBytes }: Site, sources: SourceIndex): { boundedBy?: string } {
  if (liveBytes === 0 || frame.function === null) return {};
  const bound = sources.boundOf(frame.file, frame.function);
  return bound === null ? {} : { boundedBy: bound };
}

const LISTENING = ['on', 'once', 'addListener', 'prependListener', 'addEventListener'];
const KEEPING = ['push', 'set', 'add', 'unshift'];

function dearest(bytes: ReadonlyMap<string, number>): string {
  return [...bytes].reduce((most, next) => (next[1] > most[1] ? next : most), ['', 0] as const)[0];
}

function treeOf(node: RawHeapNode, frames: FrameResolver, scale: number): StackNode {
  const children = node.children
    .map((child) => treeOf(child, frames, scale))
    .filter((child) => child.value > 0)
    .sort((a, b) => b.value - a.value);
  const frame = frames.resolve(node.callFrame);
  const value = node.selfSize * scale + children.reduce((sum, child) => sum + child.value, 0);
  if (frame.name === '(root)') return { name: 'all', value, children };
  const { file, line } = frames.location(frame);
  return { name: shownName(frame), ...(file === '' ? {} : { file, line }), value, children };
}
