/**
 * A name for this host that costs a tenth of a millisecond, for what is looked up at the start of a service.
 *
 * `hostFingerprint` says the same of a host and is what documents are stored by; but it asks the addon for the CPU
 * quota and hashes with OpenSSL, and loading those two takes 2 to 6 ms in a process that has no other use for them yet.
 * This one reads the quota's files itself and hashes with FNV-1a (Fowler, Noll & Vo), which is enough to tell hosts
 * apart that nobody forges.
 */
import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';

/** Of the processors' make: its type, vendor, family, model and first features. Hashing a thousand letters takes longer than all else. */
const MAKE_LENGTH = 80;

let key: string | undefined;

/** 16 hexadecimal digits: equal for the same CPUs, memory (in GiB), kernel and CPU quota. Computed once per process. */
export function hostKey(): string {
  if (key !== undefined) return key;
  const processors = processorsOf(readText);
  key = fnv1a(
    [
      platform(),
      arch(),
      ...processors,
      // Differs by a few pages between boots of one machine.
      Math.round(totalmem() / 2 ** 30),
      release(),
      ...quotas(readText),
    ].join('\n'),
  );
  return key;
}

/**
 * The processors' make, what they can do, and which of them are online. Not from `cpus()` or `/proc/cpuinfo`: to write that,
 * the kernel asks every processor for its present frequency, and waiting for them takes 1 to 5 ms.
 *
 * @param read gives a file's text; undefined where there is none.
 * @param cpu the architecture, as `arch()` names it.
 */
export function processorsOf(read: (path: string) => string | undefined, cpu: string = arch()): string[] {
  if (platform() === 'linux') {
    const folder = '/sys/devices/system/cpu';
    // On Arm the first says what the processor can do, and the second, which others have not, which one it is.
    const make = read(`${folder}/modalias`)?.trim().slice(0, MAKE_LENGTH);
    const model = cpu === 'x64' ? '' : (read(`${folder}/cpu0/regs/identification/midr_el1`)?.trim() ?? '');
    const online = read(`${folder}/online`)?.trim();
    if (make && online) return [make, model, online];
  }
  const all = cpus();
  return [all[0]?.model.trim() ?? 'unknown', String(all.length)];
}

/**
 * The quotas that the kernel has for this process's control group, as the kernel writes them; none where there is no
 * limit. A quota of a group further out than the container is not seen.
 *
 * @param read gives a file's text; undefined where there is none.
 */
export function quotas(read: (path: string) => string | undefined): string[] {
  if (platform() !== 'linux') return [];
  const found: string[] = [];
  for (const line of read('/proc/self/cgroup')?.split('\n') ?? []) {
    // `number:controllers:path`; the second version has number 0 and names no controllers.
    const [number, controllers = '', ...rest] = line.split(':');
    const path = rest.join(':');
    // As the kernel names it, and as a container sees its own group that is mounted as the root.
    const isUnified = number === '0';
    if (!isUnified && !controllers.split(',').includes('cpu')) continue;
    const folders = path === '/' || path === '' ? [''] : [path, ''];
    for (const folder of folders) {
      if (isUnified) {
        const text = read(`/sys/fs/cgroup${folder}/cpu.max`)?.trim();
        if (text !== undefined && !text.startsWith('max')) found.push(text);
      } else {
        const quota = read(`/sys/fs/cgroup/cpu${folder}/cpu.cfs_quota_us`)?.trim();
        if (quota === undefined || quota === '-1') continue;
        found.push(`${quota} ${read(`/sys/fs/cgroup/cpu${folder}/cpu.cfs_period_us`)?.trim() ?? ''}`);
      }
    }
  }
  return found;
}

function readText(path: string): string | undefined {
  // Asked first: an error with its stack costs more than all of the rest.
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // Hidden by the container, or gone meanwhile.
  }
}

/** 64 bits: two of 32, from different starts, because BigInts would cost more than all of the rest. */
function fnv1a(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let i = 0; i < text.length; i += 1) {
    low = Math.imul(low ^ text.charCodeAt(i), 0x01000193);
    high = Math.imul(high ^ (text.charCodeAt(i) + i), 0x01000193);
  }
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0');
}
