import { measured, type Metric, type Unit } from './metric.js';

/** What one metric is, for rules, reports and docs/metrics.md (a test holds the page equal to this list). */
export interface MetricDefinition {
  readonly unit: Unit;
  /** One sentence: what the figure says, and over what. */
  readonly definition: string;
  /** Where the figure comes from. */
  readonly source: string;
}

const ELU = 'performance.eventLoopUtilization()';
const UV_METRICS = 'performance.nodeTiming.uvMetricsInfo';
const DELAY = 'perf_hooks.monitorEventLoopDelay(), its resolution subtracted';
const V8_CPU = 'V8 sampling profiler (inspector domain Profiler)';
const STACKS = 'timer on the thread’s CPU clock (timer_create(2)), in CPU runs on Linux';
const V8_HEAP = 'V8 sampling heap profiler (inspector domain HeapProfiler)';
const GC = 'PerformanceObserver, entry type gc';
const HEAP = 'v8.getHeapStatistics()';
const SCHEDSTAT = '/proc/self/task/<tid>/schedstat';
const RUSAGE = 'getrusage(2)';
const PROC_STAT = '/proc/stat';
const CGROUP = 'cgroup v1 or v2 files of this process';
const PSI = '/proc/pressure';
const SMAPS = '/proc/self/smaps_rollup';
const TRACED = 'traced functions of Node (profiling/activity)';
const DIAGNOSTICS = 'diagnostics_channel';
const PROBE = 'a no-op sent through the pool ten times a second';
const PROC_IO = '/proc/self/io';
const SNMP = '/proc/self/net/snmp';
const TCP = '/proc/self/net/tcp, tcp6';
const PERF = 'perf_event_open(2)';
const SCHED = '/proc/self/task/<tid>/sched';

const define = (unit: Unit, definition: string, source: string): MetricDefinition => ({
  unit,
  definition,
  source,
});

/** Every metric that this package writes, by its dotted name. Shares are of the window unless said otherwise. */
export const METRIC_CATALOGUE = {
  // Event loop
  'eventLoop.utilization': define(
    'ratio',
    'Share of the window in which the event loop was not waiting for events.',
    ELU,
  ),
  'eventLoop.delay.p50': define(
    'ms',
    'Median lateness of a timer: how long the loop kept it waiting.',
    DELAY,
  ),
  'eventLoop.delay.p90': define('ms', '90th percentile of timer lateness.', DELAY),
  'eventLoop.delay.p99': define('ms', '99th percentile of timer lateness.', DELAY),
  'eventLoop.delay.max': define(
    'ms',
    'Greatest timer lateness: about the longest single block of the loop.',
    DELAY,
  ),
  'eventLoop.iterations': define('count/s', 'Rounds of the event loop.', UV_METRICS),
  'eventLoop.events': define('count/s', 'Events that the event loop handled.', UV_METRICS),
  'eventLoop.activeTimers': define(
    'count',
    'Greatest number of pending timers seen.',
    'process.getActiveResourcesInfo()',
  ),
  'eventLoop.resourcesCreated': define(
    'count/s',
    'Timers, immediates, ticks, requests and handles made a second; promises are none of them.',
    'Node’s count of asynchronous resources (async_hooks)',
  ),
  'eventLoop.activeRequests': define(
    'count',
    'Greatest number of pending asynchronous requests and handles seen, timers excluded.',
    'process.getActiveResourcesInfo()',
  ),

  // CPU by what V8 ran
  'cpu.samples': define('count', 'Samples that the CPU profile holds.', V8_CPU),
  'cpu.busy.share': define('ratio', 'Sampled time that was not idle, over all sampled time.', V8_CPU),
  'cpu.gc.share': define(
    'ratio',
    'Share of busy sampled time inside the garbage collector, on the main thread.',
    V8_CPU,
  ),
  'cpu.program.share': define(
    'ratio',
    'Share of busy sampled time in native code outside JavaScript calls.',
    V8_CPU,
  ),
  'cpu.user.share': define(
    'ratio',
    'Share of busy sampled time whose innermost frame is the user’s code or what it called.',
    V8_CPU,
  ),
  'cpu.startup.share': define(
    'ratio',
    'Share of busy sampled time spent loading and evaluating modules.',
    V8_CPU,
  ),
  'cpu.timers.share': define(
    'ratio',
    'Share of busy sampled time in Node’s own timer code, outside functions of the user.',
    V8_CPU,
  ),
  'cpu.microtasks.share': define(
    'ratio',
    'Share of busy sampled time in Node’s own promise and nextTick code, outside functions of the user.',
    V8_CPU,
  ),
  'cpu.native.share': define(
    'ratio',
    'Share of the profiled thread’s CPU time in native code: V8’s builtins and compiled regular expressions, V8, Node, libraries and the kernel. The rest is JavaScript, compiled or interpreted.',
    STACKS,
  ),
  'cpu.interpreter.share': define(
    'ratio',
    'Share of the profiled thread’s CPU time in V8’s interpreter: JavaScript that is not compiled.',
    STACKS,
  ),
  'cpu.native.samples': define(
    'count',
    'Samples behind these shares. One of a thread that is idle does not exist.',
    STACKS,
  ),
  'cpu.deoptimisations': define(
    'count/s',
    'Times that V8 threw optimised code away while it ran.',
    'V8’s trace events (V8.DeoptimizeCode), in CPU runs of the main thread',
  ),
  'cpu.deoptimisations.lasting': define(
    'count/s',
    'The same in the quarter of the window that had the fewest: what is left when warming up is over.',
    'V8’s trace events (V8.DeoptimizeCode), in CPU runs of the main thread',
  ),

  // Process
  'process.cpu.user': define(
    'ratio',
    'CPU time of all threads in user mode, over the window: 1 is one CPU.',
    RUSAGE,
  ),
  'process.cpu.system': define(
    'ratio',
    'CPU time of all threads in the kernel, over the window: 1 is one CPU.',
    RUSAGE,
  ),
  'process.cpu.total': define('ratio', 'CPU time of all threads, over the window: 1 is one CPU.', RUSAGE),
  'process.faults.minor': define(
    'count/s',
    'Page faults served without disk: first touches of fresh memory.',
    RUSAGE,
  ),
  'process.faults.major': define('count/s', 'Page faults that had to read from disk.', RUSAGE),
  'process.switches.voluntary': define('count/s', 'Context switches because a thread waited.', RUSAGE),
  'process.switches.involuntary': define(
    'count/s',
    'Context switches because the kernel gave the CPU to another thread.',
    RUSAGE,
  ),
  'process.rss': define('bytes', 'Resident memory at the end of the window.', RUSAGE),
  'process.rss.growth': define(
    'bytes/s',
    'Slope of resident memory over the window.',
    'process.memoryUsage.rss()',
  ),
  'process.openDescriptors': define(
    'count',
    'Open file descriptors at the end of the window.',
    '/proc/self/fd',
  ),
  'process.openDescriptors.growth': define(
    'count/s',
    'Slope of the number of open descriptors over the window.',
    '/proc/self/fd',
  ),
  'process.openDescriptors.limit': define(
    'count',
    'Descriptors that the process may have open at once.',
    '/proc/self/limits',
  ),
  'process.threads': define('count', 'Threads at the end of the window.', '/proc/self/task'),

  // Threads
  'thread.main.onCpu': define(
    'ratio',
    'Share of the window in which the profiled thread ran on a CPU.',
    SCHEDSTAT,
  ),
  'thread.main.runnable': define(
    'ratio',
    'Share of the window in which the profiled thread was ready and waited for a CPU.',
    SCHEDSTAT,
  ),
  'thread.main.blocked': define(
    'ratio',
    'Loop utilisation less on-CPU and runnable share: the loop stood inside a blocking call.',
    `${ELU}, ${SCHEDSTAT}`,
  ),
  'thread.others.onCpu': define(
    'ratio',
    'CPU time of the other threads together, over the window: 1 is one CPU.',
    SCHEDSTAT,
  ),
  'thread.others.runnable': define(
    'ratio',
    'Run-queue delay of the other threads together, over the window.',
    SCHEDSTAT,
  ),

  'thread.workers': define('count', 'Worker threads at the end of the window.', '/proc/self/task'),
  'thread.workers.onCpu': define(
    'ratio',
    'CPU time of the worker threads together, over the window: 1 is one CPU.',
    SCHEDSTAT,
  ),
  'thread.workers.runnable': define(
    'ratio',
    'Time for which worker threads were ready and waited for a CPU, added up, over the window.',
    SCHEDSTAT,
  ),
  'thread.workers.lockShare': define(
    'ratio',
    'Share of the profiled workers’ time spent waiting for a lock: in Atomics.wait, or trying again and again.',
    V8_CPU,
  ),
  'thread.pool.onCpu': define(
    'ratio',
    'CPU time of libuv’s pool, over the window: 1 is one CPU. Its threads are told by what they answer to a probe.',
    SCHEDSTAT,
  ),
  'thread.runtime.onCpu': define(
    'ratio',
    'CPU time of V8’s and Node’s own helper threads and of native modules’ threads, over the window.',
    SCHEDSTAT,
  ),
  'thread.busy': define(
    'count',
    'Threads that ran or wanted to run for at least half of the window.',
    SCHEDSTAT,
  ),
  'thread.demand': define(
    'ratio',
    'On-CPU and runnable time of all threads over the CPUs’ time: above 1, threads wait for each other.',
    SCHEDSTAT,
  ),
  'thread.migrations': define('count/s', 'Moves of threads from one CPU to another.', SCHED),
  'thread.switches.voluntary': define('count/s', 'Context switches of threads that waited.', SCHED),
  'thread.switches.involuntary': define(
    'count/s',
    'Context switches of threads that another thread displaced.',
    SCHED,
  ),

  // Performance counters
  'counter.main.instructions': define('count/s', 'Instructions of the profiled thread.', PERF),
  'counter.main.cacheMisses': define('count/s', 'Last-level cache misses of the profiled thread.', PERF),
  'counter.main.branchMisses': define('count/s', 'Mispredicted branches of the profiled thread.', PERF),
  'counter.main.pageFaults': define('count/s', 'Page faults of the profiled thread.', PERF),
  'counter.workers.instructions': define('count/s', 'Instructions of the worker threads, added up.', PERF),
  'counter.workers.cacheMisses': define(
    'count/s',
    'Last-level cache misses of the worker threads, added up.',
    PERF,
  ),
  'counter.workers.branchMisses': define(
    'count/s',
    'Mispredicted branches of the worker threads, added up.',
    PERF,
  ),
  'counter.workers.pageFaults': define('count/s', 'Page faults of the worker threads, added up.', PERF),
  'counter.main.instructionsPerCycle': define(
    'ratio',
    'Instructions per CPU cycle of the profiled thread.',
    PERF,
  ),

  // libuv’s pool
  'pool.threads': define('count', 'Threads that libuv’s pool may have.', 'UV_THREADPOOL_SIZE'),
  'pool.queue.wait.p50': define(
    'ms',
    'Median time that work waits for a thread of libuv’s pool, what the loop delays it by taken off.',
    PROBE,
  ),
  'pool.queue.wait.p99': define('ms', '99th percentile of the wait for the pool.', PROBE),
  'pool.queue.wait.max': define('ms', 'Longest wait for the pool.', PROBE),

  // Files
  'io.fs.operations': define('count/s', 'Asynchronous file operations that ended.', TRACED),
  'io.fs.latency.p50': define(
    'ms',
    'Median time of an asynchronous file operation, from call to answer.',
    TRACED,
  ),
  'io.fs.latency.p99': define('ms', '99th percentile of the time of an asynchronous file operation.', TRACED),
  'io.fs.latency.max': define('ms', 'Longest asynchronous file operation.', TRACED),
  'io.fs.errors': define('count/s', 'Asynchronous file operations that failed.', TRACED),
  'io.fs.bytes': define('bytes/s', 'Bytes that asynchronous file operations read and wrote.', TRACED),
  'io.fs.inFlight.max': define('count', 'Most asynchronous file operations under way at once.', TRACED),
  'io.sync.operations': define('count/s', 'Synchronous file operations on the loop.', TRACED),
  'io.sync.share': define('ratio', 'Share of the window spent in synchronous file operations.', TRACED),
  'io.sync.max': define('ms', 'Longest synchronous file operation.', TRACED),
  'io.disk.read': define('bytes/s', 'Bytes that this process had read from disks.', PROC_IO),
  'io.disk.write': define('bytes/s', 'Bytes that this process had written towards disks.', PROC_IO),
  'io.calls.read': define('count/s', 'Read calls of this process, sockets and pipes included.', PROC_IO),
  'io.calls.write': define('count/s', 'Write calls of this process, sockets and pipes included.', PROC_IO),
  'io.pressure': define(
    'ratio',
    'Share of the window in which some task on the host waited for input or output.',
    PSI,
  ),

  // Network
  'network.http.requests': define('count/s', 'HTTP requests of this process that were answered.', TRACED),
  'network.http.latency.p50': define(
    'ms',
    'Median time from an HTTP request of this process to the head of its answer.',
    TRACED,
  ),
  'network.http.latency.p99': define('ms', '99th percentile of the time to an answer’s head.', TRACED),
  'network.http.latency.max': define('ms', 'Longest time to an answer’s head.', TRACED),
  'network.http.errors': define(
    'count/s',
    'HTTP requests of this process that failed without an answer.',
    TRACED,
  ),
  'network.http.inFlight.max': define(
    'count',
    'Most HTTP requests of this process under way at once.',
    TRACED,
  ),
  'network.server.requests': define('count/s', 'HTTP requests that this process answered.', DIAGNOSTICS),
  'network.server.latency.p50': define(
    'ms',
    'Median time from the arrival of a request to the end of its answer.',
    DIAGNOSTICS,
  ),
  'network.server.latency.p99': define(
    'ms',
    '99th percentile of the time to the end of an answer.',
    DIAGNOSTICS,
  ),
  'network.server.newConnections': define(
    'count/s',
    'Connections on which a first request came in.',
    DIAGNOSTICS,
  ),
  'network.connects': define('count/s', 'Connections that this process made through net.', TRACED),
  'network.fetch.newConnections': define('count/s', 'Connections that fetch made.', DIAGNOSTICS),
  'network.connect.p50': define('ms', 'Median time to connect, name look-up included.', TRACED),
  'network.connect.p99': define('ms', '99th percentile of the time to connect.', TRACED),
  'network.dns.lookups': define('count/s', 'Name look-ups that ended.', TRACED),
  'network.dns.p50': define('ms', 'Median time of a name look-up.', TRACED),
  'network.dns.p99': define('ms', '99th percentile of the time of a name look-up.', TRACED),
  'network.overfilledWrites': define(
    'count/s',
    'Writes into streams that had asked for a pause and held four times what they want to hold.',
    TRACED,
  ),
  'network.tcp.segmentsSent': define('count/s', 'TCP segments sent in this network namespace.', SNMP),
  'network.tcp.retransmits': define('count/s', 'TCP segments sent again in this network namespace.', SNMP),
  'network.tcp.failedConnects': define(
    'count/s',
    'Failed connection attempts in this network namespace.',
    SNMP,
  ),
  'network.tcp.resets': define('count/s', 'Resets sent in this network namespace.', SNMP),
  'network.tcp.listenOverflows': define(
    'count/s',
    'Connections dropped because a listener’s queue was full.',
    '/proc/self/net/netstat',
  ),
  'network.tcp.established': define('count', 'Established connections at the end of the window.', TCP),
  'network.tcp.timeWait': define('count', 'Closed connections that the kernel still remembers.', TCP),
  'network.tcp.closeWait': define('count', 'Connections that the peer closed and some process has not.', TCP),

  // Host
  'host.cpus': define('count', 'Logical CPUs that this process may use.', 'os.availableParallelism()'),
  'host.cpu.busy': define('ratio', 'Share of all CPUs’ time that anything on the host used.', PROC_STAT),
  'host.cpu.steal': define(
    'ratio',
    'Share of all CPUs’ time that the hypervisor gave to other guests.',
    PROC_STAT,
  ),
  'host.cpu.iowait': define(
    'ratio',
    'Share of all CPUs’ time idle with disk requests outstanding.',
    PROC_STAT,
  ),
  'host.cpu.others': define(
    'ratio',
    'CPU time of processes other than this one, over the window: 1 is one CPU.',
    `${PROC_STAT}, ${RUSAGE}`,
  ),
  'host.cpu.peers': define(
    'ratio',
    'Part of host.cpu.others used by processes that hold a connection to this one, e.g. a load generator.',
    '/proc/<pid>/stat, /proc/<pid>/fd, /proc/<pid>/net/tcp',
  ),
  'host.pressure.cpu': define(
    'ratio',
    'Share of the last ten seconds in which some task waited for a CPU.',
    PSI,
  ),
  'host.pressure.memory': define(
    'ratio',
    'Share of the last ten seconds in which some task waited for memory.',
    PSI,
  ),
  'host.pressure.io': define(
    'ratio',
    'Share of the last ten seconds in which some task waited for input or output.',
    PSI,
  ),

  // Container
  'cgroup.cpu.quota': define('count', 'CPUs that the container’s quota amounts to.', CGROUP),
  'cgroup.cpu.throttledPeriods': define(
    'ratio',
    'Share of the quota’s periods in which the container was stopped for having used it up.',
    CGROUP,
  ),
  'cgroup.cpu.throttled': define(
    'ratio',
    'Time for which the container was stopped, over the window.',
    CGROUP,
  ),
  'cgroup.memory.used': define('bytes', 'Memory charged to the container at the end of the window.', CGROUP),
  'cgroup.memory.limit': define('bytes', 'Memory limit of the container.', CGROUP),

  // Garbage collection
  'gc.share': define('ratio', 'Share of the window that the main thread was paused for collections.', GC),
  'gc.count': define('count/s', 'Collections of all kinds.', GC),
  'gc.pause.max': define('ms', 'Longest collection pause.', GC),
  'gc.pause.p99': define('ms', '99th percentile of collection pauses.', GC),
  'gc.minor.share': define('ratio', 'Share of the window in collections of the young generation.', GC),
  'gc.major.share': define('ratio', 'Share of the window in full and incremental collections.', GC),

  // JavaScript heap
  'heap.used': define('bytes', 'Bytes used in the JavaScript heap at the end of the window.', HEAP),
  'heap.total': define('bytes', 'Bytes committed for the JavaScript heap at the end of the window.', HEAP),
  'heap.limit': define('bytes', 'Size at which V8 gives up with “heap out of memory”.', HEAP),
  'heap.floor': define(
    'bytes',
    'Least heap in use over the last third of the window: what survives collections.',
    HEAP,
  ),
  'heap.floor.share': define('ratio', 'heap.floor over heap.limit.', HEAP),
  'heap.floor.growth': define('bytes/s', 'Slope of the heap’s floor: what collections did not free.', HEAP),
  'heap.slack': define(
    'bytes',
    'Part of the old generation’s pages that held no object when the run began, before its own collections.',
    'v8.getHeapSpaceStatistics()',
  ),
  'heap.slack.share': define(
    'ratio',
    'heap.slack over the size of those pages.',
    'v8.getHeapSpaceStatistics()',
  ),
  'process.unaccounted': define(
    'bytes',
    'Anonymous resident memory less V8’s heap, external memory and 48 MiB for the runtime; not known beside workers.',
    '/proc/self/smaps_rollup and v8.getHeapStatistics()',
  ),
  'process.unaccounted.share': define(
    'ratio',
    'process.unaccounted over anonymous resident memory.',
    '/proc/self/smaps_rollup and v8.getHeapStatistics()',
  ),
  'heap.live.growth': define(
    'bytes/s',
    'Growth of the heap from full collection to full collection: the lesser of the window’s two parts.',
    'process.memoryUsage() after full collections',
  ),
  'heap.allocation.rate': define(
    'bytes/s',
    'Bytes allocated in the JavaScript heap, collected ones included.',
    V8_HEAP,
  ),
  'heap.space.new': define(
    'bytes',
    'Bytes used in the young generation at the end of the window.',
    'v8.getHeapSpaceStatistics()',
  ),
  'heap.space.old': define(
    'bytes',
    'Bytes used in the old generation at the end of the window.',
    'v8.getHeapSpaceStatistics()',
  ),
  'heap.space.code': define(
    'bytes',
    'Bytes used for compiled code at the end of the window.',
    'v8.getHeapSpaceStatistics()',
  ),
  'heap.space.large': define(
    'bytes',
    'Bytes used for large objects at the end of the window.',
    'v8.getHeapSpaceStatistics()',
  ),
  'heap.contexts.detached': define(
    'count',
    'Contexts that are detached and not collected yet: a rising number is a leak.',
    HEAP,
  ),

  // Memory outside the heap
  'external.used': define(
    'bytes',
    'Memory that JavaScript objects hold outside the heap, array buffers included, at the end of the window.',
    'process.memoryUsage()',
  ),
  'external.arrayBuffers': define(
    'bytes',
    'Memory of ArrayBuffers, Buffers included, at the end of the window.',
    'process.memoryUsage()',
  ),
  'external.growth': define(
    'bytes/s',
    'Slope of the floor of memory held outside the heap.',
    'process.memoryUsage()',
  ),
  'external.live.growth': define(
    'bytes/s',
    'Growth of memory outside the heap from full collection to full collection: the lesser of the window’s two parts.',
    'process.memoryUsage() after full collections',
  ),

  // Resident memory, split
  'rss.proportional': define('bytes', 'Resident memory with shared pages divided among their users.', SMAPS),
  'rss.anonymous': define('bytes', 'Resident memory that no file backs: heaps, buffers, stacks.', SMAPS),
  'rss.anonymousHuge': define('bytes', 'Part of rss.anonymous on huge pages.', SMAPS),
  'rss.private': define('bytes', 'Resident memory that no other process shares.', SMAPS),
  'rss.shared': define(
    'bytes',
    'Resident memory shared with other processes: program and library text.',
    SMAPS,
  ),
  'rss.swap': define('bytes', 'Memory of this process that lies in swap.', SMAPS),
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRIC_CATALOGUE;

/**
 * A catalogued metric in its catalogued unit.
 *
 * @example
 * metrics['gc.share'] = catalogued('gc.share', pauseMs / windowMs);
 */
export function catalogued(name: MetricName, value: number): Metric {
  return measured(value, METRIC_CATALOGUE[name].unit);
}
