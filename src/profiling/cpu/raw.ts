/** The `.cpuprofile` as V8 gives it, in the shape of the inspector protocol. */
export interface RawCpuProfile {
  readonly nodes: readonly RawNode[];
  /** Microseconds. */
  readonly startTime: number;
  readonly endTime: number;
  readonly samples?: readonly number[] | undefined;
  /** Microseconds between a sample and the one before it. */
  readonly timeDeltas?: readonly number[] | undefined;
}

export interface RawNode {
  readonly id: number;
  readonly callFrame: RawCallFrame;
  readonly hitCount?: number | undefined;
  readonly children?: readonly number[] | undefined;
  /** Lines are 1-based here, unlike in the call frame. A native function carries the line that called it. */
  readonly positionTicks?: readonly { readonly line: number; readonly ticks: number }[] | undefined;
}

export interface RawCallFrame {
  readonly scriptId?: string | undefined;
  readonly functionName: string;
  readonly url: string;
  /** 0-based; -1 where V8 knows none. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** The sampling heap profile of the inspector protocol. */
export interface RawHeapProfile {
  readonly head: RawHeapNode;
  readonly samples?: readonly unknown[] | undefined;
}

export interface RawHeapNode {
  readonly callFrame: RawCallFrame;
  readonly selfSize: number;
  readonly children: readonly RawHeapNode[];
}
