/**
 * A name for this host that costs a quarter of a millisecond, for what is looked up at the start of a service.
 *
 * `hostFingerprint` says the same of a host and is what documents are stored by; but it asks the addon for the CPU
 * quota and hashes with OpenSSL, and loading those two takes 2 to 6 ms in a process that has no other use for them yet.
 * This one reads the quota's files itself, and is the text of what it found. Rejected: a hash of it in JavaScript, which took
 * a fifth of the time.
 *
 * At a service's start all of this is code that never ran, which takes longer to compile than to run: hence few
 * functions, no iterators, and what is seldom needed in functions of its own, which are not compiled then.
 */
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** Of the processors' make: its type, vendor, family, model and first features. All of them are a thousand letters. */
const MAKE_LENGTH = 80;
const PROCESSORS = '/sys/devices/system/cpu';
let key: string | undefined;

/** Equal for the same CPUs, memory (in GiB), kernel and CPU quota; some 150 letters. Found once per process. */
export function hostKey(): string {
  if (key !== undefined) return key;
  const { platform, arch } = process;
  const processors = processorsOf(readText, arch).join('; ');
  // Rounded, because memory differs by a few pages between boots of one machine.
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  const limits = quotas(readText).join('; ');
  key = `${platform} ${arch}; ${processors}; ${memoryGib} GiB; ${release()}; ${limits}`;
  return key;
}

/**
 * The processors' make, what they can do, and which of them are online. Not from `cpus()` or `/proc/cpuinfo`: to write that,
 * the kernel asks every processor for its present frequency, and waiting for them takes 1 to 5 ms.
 *
 * @param read gives a file's text; undefined where there is none.
 * @param cpu the architecture, as `process.arch` names it.
 */
export function processorsOf(
  read: (path: string) => string | undefined,
  cpu: string = process.arch,
): string[] {
  if (process.platform !== 'linux') return processorsOfSystem();
  const make = read(`${PROCESSORS}/modalias`)?.trim().slice(0, MAKE_LENGTH);
  const online = read(`${PROCESSORS}/online`)?.trim();
  if (!make || !online) return processorsOfSystem();
  return [make, cpu === 'x64' ? '' : modelOf(read), online];
}

/** On Arm the make says what the processor can do, and this, which others have not, which one it is. */
function modelOf(read: (path: string) => string | undefined): string {
  return read(`${PROCESSORS}/cpu0/regs/identification/midr_el1`)?.trim() ?? '';
}

function processorsOfSystem(): string[] {
  const all = cpus();
  return [all[0]?.model.trim() ?? 'unknown', String(all.length)];
}

/**
 * The quotas that the kernel has for this process's control group, as the kernel writes them; none where there is no
 * limit. A quota of a group further out than the container is not seen. Where both versions of control groups are
 * mounted, CPU time is rationed by the one that has a group for it.
 *
 * @param read gives a file's text; undefined where there is none.
 */
export function quotas(read: (path: string) => string | undefined): string[] {
  const found: string[] = [];
  if (process.platform !== 'linux') return found;
  const groups = read('/proc/self/cgroup') ?? '';
  let quotaIn: QuotaIn | undefined;
  let path = '';
  // Lines of `number:controllers:path`. By hand, because to compile a regular expression takes a tenth of a millisecond.
  for (let start = 0, end = 0; start < groups.length && quotaIn !== firstVersionQuota; start = end + 1) {
    end = groups.indexOf('\n', start);
    if (end < 0) end = groups.length;
    const first = groups.indexOf(':', start) + 1;
    const second = groups.indexOf(':', first) + 1;
    // The second version names no controllers, the first may name several.
    const controllers = `,${groups.slice(first, second - 1)},`;
    if (controllers === ',,') quotaIn = secondVersionQuota;
    else if (controllers.includes(',cpu,')) quotaIn = firstVersionQuota;
    else continue;
    path = groups.slice(second, end);
  }
  if (quotaIn === undefined) return found;
  // As the kernel names it, and as a container sees its own group that is mounted as the root.
  const own = path === '/' || path === '' ? undefined : quotaIn(read, path);
  if (own !== undefined) found.push(own);
  const root = quotaIn(read, '');
  if (root !== undefined) found.push(root);
  return found;
}

type QuotaIn = (read: (path: string) => string | undefined, group: string) => string | undefined;

function firstVersionQuota(read: (path: string) => string | undefined, group: string): string | undefined {
  const quota = read(`/sys/fs/cgroup/cpu${group}/cpu.cfs_quota_us`)?.trim();
  if (quota === undefined || quota === '-1') return undefined;
  return `${quota} ${read(`/sys/fs/cgroup/cpu${group}/cpu.cfs_period_us`)?.trim() ?? ''}`;
}

function secondVersionQuota(read: (path: string) => string | undefined, group: string): string | undefined {
  const text = read(`/sys/fs/cgroup${group}/cpu.max`)?.trim();
  return text === undefined || text.startsWith('max') ? undefined : text;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // Not there, or hidden by the container.
  }
}
