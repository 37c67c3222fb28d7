/**
 * What the machine says of itself, for `sysopt doctor` and reports. The static calls of systeminformation only:
 * they start about fourteen short processes (50 ms), so this is never called while something is measured. What a
 * virtual machine hides comes back as zero or an empty string there, and is left out here.
 */
export interface HostInventory {
  readonly system?: string;
  readonly cpuModel?: string;
  readonly physicalCores?: number;
  readonly logicalCpus?: number;
  readonly cpuSpeedMHz?: number;
  /** As advertised; on cloud machines the effective sizes are often much smaller. */
  readonly advertisedCacheBytes: { readonly l1d?: number; readonly l2?: number; readonly l3?: number };
  readonly hypervisor?: boolean;
}

/** Drops what the source could not tell: zero, empty and negative are its words for "unknown". */
function known<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) =>
      typeof value === 'number' ? value > 0 : value !== '' && value !== undefined && value !== null,
    ),
  ) as Partial<T>;
}

let inventory: Promise<HostInventory> | undefined;

/** Read once per process. */
export function hostInventory(): Promise<HostInventory> {
  inventory ??= read();
  return inventory;
}

async function read(): Promise<HostInventory> {
  const { cpu, osInfo } = (await import('systeminformation')).default;
  const [processor, system] = await Promise.all([cpu(), osInfo()]);
  return {
    ...known({
      system: [system.distro, system.release].filter((part) => part && part !== 'unknown').join(' '),
      cpuModel: [processor.manufacturer, processor.brand].filter(Boolean).join(' '),
      physicalCores: processor.physicalCores,
      logicalCpus: processor.cores,
      cpuSpeedMHz: processor.speed * 1000,
    }),
    ...(system.hypervizor !== undefined && { hypervisor: system.hypervizor }),
    advertisedCacheBytes: known({
      l1d: processor.cache.l1d,
      l2: processor.cache.l2,
      l3: processor.cache.l3,
    }),
  };
}
