/**
 * A name for this host that costs a tenth of a millisecond, for what is looked up at the start of a service.
 *
 * `hostFingerprint` says the same of a host and is what documents are stored by; but it asks the addon for the CPU
 * quota and hashes with OpenSSL, and loading those two takes 2 to 6 ms in a process that has no other use for them yet.
 * This one reads the quota's files itself and hashes with FNV-1a (Fowler, Noll & Vo), which is enough to tell hosts
 * apart that nobody forges.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';

let key: string | undefined;

/** 16 hexadecimal digits: equal for the same CPUs, memory (in GiB), kernel and CPU quota. Computed once per process. */
export function hostKey(): string {
  if (key !== undefined) return key;
  const processors = processorsOf(readBeginning);
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
 * The processors' model and which of them are online. `cpus()` reads everything about each of them, which takes long where
 * there are many.
 *
 * @param read gives the beginning of a file; undefined where there is none.
 */
export function processorsOf(read: (path: string) => string | undefined): string[] {
  if (platform() === 'linux') {
    const online = read('/sys/devices/system/cpu/online')?.trim();
    // `model name` on x86, `CPU part` with `CPU implementer` on Arm.
    const info = read('/proc/cpuinfo') ?? '';
    const models = info.match(/^(?:model name|CPU implementer|CPU part)\s*:.*$/gm)?.slice(0, 2);
    if (online && models) return [...models.map((line) => line.replace(/\s+/g, ' ')), online];
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
    const folders = path === '/' || path === '' ? [''] : [path, ''];
    for (const folder of folders) {
      if (number === '0') {
        const text = read(`/sys/fs/cgroup${folder}/cpu.max`)?.trim();
        if (text !== undefined && !text.startsWith('max')) found.push(text);
      } else if (controllers.split(',').includes('cpu')) {
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

/** The first processor is in the first 4 KiB, and the kernel writes no more than is read. */
function readBeginning(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const file = openSync(path, 'r');
    const bytes = Buffer.allocUnsafe(4096);
    const length = readSync(file, bytes, 0, bytes.length, 0);
    closeSync(file);
    return bytes.toString('latin1', 0, length);
  } catch {
    return undefined; // Hidden by the container.
  }
}

/** 64 bits: two of 32, from different starts, because BigInts would cost more than all of the rest. */
function fnv1a(text: string): string {
  let [low, high] = [0x811c9dc5, 0x9747b28c];
  for (let i = 0; i < text.length; i += 1) {
    low = Math.imul(low ^ text.charCodeAt(i), 0x01000193);
    high = Math.imul(high ^ (text.charCodeAt(i) + i), 0x01000193);
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
