/** What a measurement was made on. Two results compare only where `id` is equal. */
export interface HostFingerprint {
  /** Hash over the fields that make results comparable: CPU, cores, memory, kernel, container limits. */
  readonly id: string;
  readonly platform: string;
  readonly arch: string;
  readonly cpuModel: string;
  readonly logicalCpus: number;
  /** CPUs that the container's quota amounts to, where there is one. */
  readonly quotaCpus?: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly virtualised?: boolean;
}

/** The host, the runtime and the conditions during one measurement. */
export interface Environment {
  readonly host: HostFingerprint;
  readonly node: string;
  readonly v8: string;
  readonly flags: readonly string[];
  readonly governor?: string;
  /** One-minute load average at the start. */
  readonly loadAverage?: number;
  /** Share of host CPU time (0 to 1) that the hypervisor took during the run. */
  readonly stealShare?: number;
  readonly libraryVersion: string;
}
