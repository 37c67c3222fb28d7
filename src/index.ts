/** The public names, nothing else. */

// The loop
export { SystemOptimizer } from './system-optimizer.js';
export type { CallOptions } from './settings/call.js';
export type { OptimizerOptions, OptimizerOptionsInput } from './settings/optimizer.js';
export type { MemorySettings, MemorySettingsInput } from './settings/memory.js';
export type { ComputationSettings, ComputationSettingsInput } from './settings/computation.js';
export type { ThreadSettings, ThreadSettingsInput } from './settings/threads.js';
export type { ProfileOptions, ProfileOptionsInput } from './settings/profile.js';
export { settingsJsonSchema } from './settings/parse.js';

// The model: what is returned and stored
export * from './model/types.js';
export * from './model/metric.js';
export * from './model/finding.js';
export type * from './model/experiment.js';
export type * from './model/recommendation.js';
export type * from './model/profiling-result.js';
export type * from './model/optimization-profile.js';
export type * from './model/comparison.js';
export type * from './model/choice.js';
export type * from './model/config.js';
export type * from './model/fingerprint.js';
export type * from './model/signals.js';
export type * from './model/subject.js';
export type { OptimizerEvents, Progress } from './events.js';
export type * from './model/alert.js';
export type * from './model/trigger.js';
export type { AnomalyOptions } from './profiling/anomaly.js';
export type { ProfiledAnomaly } from './profiling/anomaly-profiler.js';
export type { BlockedLoop, Monitor, MonitorOptions } from './profiling/monitor.js';
export * from './errors.js';

// Memory
export { Region, type RegionOptions } from './memory/regions.js';
export { SlabPool, type SlabPoolOptions } from './memory/slab-pool.js';
export {
  SizeClassPool,
  type SizeClassPoolOptions,
  type SizeClassPoolStats,
  type SizeClassStats,
  type SizeTraffic,
} from './memory/size-class-pool.js';
export {
  SharedSlabPool,
  type SharedSlabPoolOptions,
  type SharedSlabPoolStats,
} from './memory/shared-pool/shared-slab-pool.js';
export type { SharedSlabPoolDescriptor } from './memory/shared-pool/control-block.js';
export { Arena, type ArenaOptions } from './memory/arena.js';
export { BuddyAllocator, type BuddyAllocatorOptions } from './memory/buddy-allocator.js';
export { ObjectPool, type ObjectPoolOptions } from './memory/object-pool.js';
export type { AllocatorStats } from './memory/allocator-stats.js';
export { allocatorMetrics } from './memory/allocator-metrics.js';
export { planLayout, type LayoutField, type LayoutPlan, type PlanOptions } from './memory/layout-planner.js';
export { layoutReport } from './memory/layout-report.js';
export { writerGroups, type FieldAccesses } from './memory/struct/access-recorder.js';
export { layoutSvg, type NamedPlan } from './report/layout-drawing.js';
export { layoutPage } from './report/layout-page.js';
export {
  arrayFromDescriptor,
  struct,
  structFromDescriptor,
  StructType,
  type StructOptions,
} from './memory/struct/struct-type.js';
export type { ArrayOptions, Cursor, FieldPath, StructArray, SumOf } from './memory/struct/struct-array.js';
export type { IndexList, LoopOptions, LoopRecord, RecordLoop } from './memory/struct/record-loop.js';
export {
  array,
  bool,
  enumOf,
  f32,
  f64,
  handle32,
  handle64,
  i16,
  i32,
  i64,
  i8,
  pointer,
  u16,
  u32,
  u64,
  u8,
  utf8,
  type Fields,
  type RecordOf,
  type RecordPatch,
} from './memory/struct/field-types.js';
export { flagsOf, type FlagsAccessor, type FlagsValue } from './memory/struct/flags.js';
export { parseCStructs } from './memory/c-declarations/parse-c-structs.js';
export { structFromC } from './memory/c-declarations/struct-from-c.js';
export type {
  CField,
  CStruct,
  ParseCOptions,
  SkippedStruct,
} from './memory/c-declarations/parse-c-structs.js';
export type { StructFromCOptions } from './memory/c-declarations/struct-from-c.js';

// Threads
export { ThreadPool, type ThreadPoolOptions } from './threads/thread-pool.js';
export { defineTask, type Task } from './threads/task.js';
export { LocalExecutor, type LocalExecutorOptions } from './threads/local-executor.js';
export type { DeadLetter, ExecuteOptions, Executor } from './threads/executor.js';
export { carriedStore, type CarriedStore } from './threads/carried-store.js';
export { job, type Job, type JobOptions } from './threads/job.js';
export { Mutex, type LockResult } from './threads/sync/mutex.js';
export { Condition, type ConditionResult } from './threads/sync/condition.js';
export { Semaphore, type SemaphoreOptions } from './threads/sync/semaphore.js';
export { MpmcQueue } from './threads/sync/mpmc-queue.js';
export { SpscRing } from './threads/sync/spsc-ring.js';
export { SeqLock, type SeqLockOptions } from './threads/sync/seqlock.js';
export { Barrier, type BarrierOptions } from './threads/sync/barrier.js';
export { contentionReport } from './threads/sync/contention-report.js';
export { recoverOnExit, type Recoverable } from './threads/sync/recover-on-exit.js';
export { ConcurrencyLimiter } from './threads/limiter/concurrency-limiter.js';
export type { ConcurrencyLimiterOptions } from './threads/limiter/limiter-options.js';

// Computation
export type { KeepLearningOptions } from './facade/learning-in-force.js';
export { computation, type Computation, type ComputationOptions } from './computation/computation.js';
export {
  exportWisdom,
  importWisdom,
  type Wisdom,
  type WisdomEntry,
  type WisdomOfHost,
  type WisdomImport,
} from './computation/wisdom.js';
export {
  keepLearning,
  type LearningEvents,
  type LearningOptions,
  type LearningStats,
  type OnlineLearning,
} from './computation/online-learning.js';
export { memoise, type MemoiseOptions, type MemoiseStats, type Memoised } from './computation/memoise.js';
export {
  coalesce,
  type CoalesceOptions,
  type CoalesceStats,
  type Coalesced,
} from './computation/coalesce.js';
export {
  fuse,
  type ColumnValues,
  type Fused,
  type FusedChain,
  type FusionColumns,
  type FusionParams,
  type OutputType,
} from './computation/fusion.js';
export * as reduction from './computation/reductions.js';
export {
  col,
  literal,
  param,
  rowIndex,
  type Bool,
  type Num,
  type Operand,
} from './computation/expression.js';
export * as kernels from './computation/kernels/kernels.js';
export { forEachBlock, tileSide, type BlockFunction, type BlockOptions } from './computation/blocks.js';

// Validation
export { compare, compareAll } from './validation/compare.js';
export { testCause, type ExperimentOutcome, type ExperimentSubject } from './facade/cause-experiment.js';
export type { CarriedOutExperiment } from './facade/recommended-experiment.js';
export type {
  CommandSubject,
  ComparisonSubject,
  ModuleSubject,
  ServiceSubject,
} from './validation/subject.js';
export type { CompareOptions } from './validation/options.js';
export type { DriveLoadOptions } from './validation/load-contract.js';
export { driveLoad } from './validation/load.js';
export { workload, type Workload, type WorkloadOptions } from './validation/workload.js';
export { compareRuns, formatBench } from './validation/bench-table.js';
export { runBench, type BenchCase, type BenchReport } from './validation/bench.js';
export { findChangePoints, type ChangePoint } from './validation/change-points.js';
export {
  appendRatios,
  findSeriesChanges,
  ratioPointsOf,
  readRatios,
  type RatioPoint,
  type RatioSeries,
  type SeriesChange,
} from './storage/ratio-series.js';
export { measureNoise, type NoiseReport } from './validation/noise.js';

// Signals, rules and the store, for those who extend or read them
export type { Sampler } from './profiling/sampler.js';
export type { Rule } from './analysis/rule.js';
export { analyse } from './analysis/analyse.js';
export { defaultRules } from './analysis/rules/index.js';
export { openStore, type Store } from './storage/store.js';

// The machine
export { openCounters, type CounterGroup, type CounterSnapshot } from './counters/counter-group.js';
export { listCounterAliases, type CounterAlias } from './counters/sysfs-events.js';
export { probeHost, type ProbeOptions } from './host/probe.js';
export type * from './model/host-probe.js';
export { nativeStatus, type NativeStatus } from './native/status.js';

// Types that the signatures above name.
export type { Retention } from './settings/optimizer.js';
export type { Alignment, HugePages, Residency } from './memory/regions.js';
export type { AllocatorBytes } from './memory/allocator-stats.js';
export type { LeakSite } from './memory/slab-trace.js';
export type { ArenaScope } from './memory/arena.js';
export type { Layout, PlacedField } from './memory/layout-planner.js';
export type { StructChoice } from './memory/struct/struct-type.js';
export type { StructDescriptor } from './memory/struct/descriptor.js';
export type { ArrayDescriptor } from './memory/struct/struct-array.js';
export type { ColumnsOf, FieldType } from './memory/struct/field-types.js';
export type { ThreadStats } from './threads/thread-stats.js';
export type { RunOptions, ThreadPoolEvents, ThreadPoolStats } from './threads/thread-pool.js';
export type {
  ParallelMapOptions,
  ParallelScanOptions,
  ParallelSortOptions,
} from './threads/parallel-arrays.js';
export type { ScanOperation, SharedNumbers } from './threads/array-kernels.js';
export type { DurationSummary } from './threads/run-histogram.js';
export type { TaskDiagnostics } from './threads/task-dispatcher.js';
export type { CostHint, ParallelForOptions, ParallelReduceOptions } from './threads/loop-options.js';
export type { RangeFunction } from './threads/task.js';
export type { JobRunOptions } from './threads/job.js';
export type { PrimitiveDescriptor, PrimitiveKind } from './threads/sync/shared-block.js';
export type {
  BlockingOptions,
  ContentionStats,
  PrimitiveOptions,
  WaitOptions,
} from './threads/sync/primitive.js';
export type { Contended, ContentionReport, ContentionRow } from './threads/sync/contention-report.js';
export type { QueueOptions, QueueStats } from './threads/sync/queue.js';
export type { ItemOptions, QueueItem } from './threads/sync/queue-items.js';
export type {
  AdmissionOptions,
  LimiterEvents,
  LimiterStats,
  Permit,
} from './threads/limiter/concurrency-limiter.js';
export type { Equivalence, Inputs } from './computation/computation.js';
export type { Floats, Keys, Numbers, Values } from './computation/kernels/arguments.js';
export type { GroupSums, Histogram, HistogramOptions } from './computation/kernels/distributions.js';
export type { Moments } from './computation/kernels/loops/reductions.js';
export type { SumOptions } from './computation/kernels/reductions.js';
export type { ThreadOptions } from './computation/kernels/threads.js';
export type { SizeOf } from './computation/size.js';
export type {
  DescribedVariant,
  Execution,
  ModuleVariants,
  TunableVariant,
  Variant,
} from './computation/variants.js';
export type { NativeComputation } from './computation/native-variants.js';
export type { ParallelComputation } from './computation/parallel.js';
export type {
  CategoricalParameter,
  Configuration,
  Constraint,
  FloatParameter,
  IntegerParameter,
  Parameter,
  ParameterSpace,
  ParameterValue,
} from './computation/parameters.js';
export type {
  ComputationRequest,
  OptimizedComputation,
  SizeChoice,
} from './computation/optimize-computation.js';
export type { LoadOptions, Measure, ResultCheck } from './validation/options.js';
export type { LoadRequest } from './validation/load-requests.js';
export type { WorkloadSetup } from './validation/workload.js';
export type { ChangePointOptions } from './validation/change-points.js';
export type { SeriesChangeOptions } from './storage/ratio-series.js';
export type { NoiseOptions, WorkloadNoise } from './validation/noise.js';
export type { Gathered, SamplingWindow } from './profiling/sampler.js';
export type { RankedFinding, RuleResult } from './analysis/rule.js';
export type { HotOperation, SignalView } from './analysis/signal-view.js';
export type { ListFilter, StoredDocument, StoreOptions } from './storage/store.js';
export type { StoredEntry } from './storage/index-file.js';
export type { MetricPoint } from './storage/metrics-log.js';
export type { OptimizationGains, OptimizationStats, StatsFilter } from './storage/stats.js';
export type { CounterOptions, CounterValues } from './counters/counter-group.js';
export type { CounterRequest, RawCounter } from './counters/counter-requests.js';
export type { AvailableCounterValue, CounterValue } from './counters/counter-value.js';
export type { DerivedCounter } from './counters/derived.js';
export type { CounterEvent } from './counters/events.js';
export type { Capability, NativeCapabilities } from './native/contract.js';
export type { CounterReason, CounterRefusal } from './native/counter-refusal.js';
export type { DocumentKind } from './storage/layout.js';
export type { Standing } from './computation/race.js';
