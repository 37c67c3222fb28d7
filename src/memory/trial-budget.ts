/** What every comparison of one memory optimisation shares: time, abortion, progress, and failures turned into warnings. */
import { OptimizerError, SubjectError } from '../errors.js';
import type { Comparison } from '../model/comparison.js';
import type { OptimizationContext } from '../model/context.js';
import type { OptimizationStatus } from '../model/types.js';
import type { ComparisonSubject, ModuleSubject } from '../validation/subject.js';

/** Share of the time for the first look, for the deciding comparison, and for the questions beside it. */
const SCREENING = 0.15;
const DECIDING = 0.5;

export class TrialBudget {
  readonly warnings: string[] = [];
  readonly screeningMs: number;
  private readonly context: OptimizationContext;
  private readonly until: number;

  constructor(context: OptimizationContext) {
    this.context = context;
    this.screeningMs = context.budgetMs * SCREENING;
    this.until = performance.now() + context.budgetMs;
  }

  get signal(): AbortSignal | undefined {
    return this.context.signal;
  }

  /** Time for the comparison that decides; `others` are still to come after it. */
  decidingMs(others: number): number {
    const left = this.leftMs();
    return others === 0 ? left : Math.min(left, this.context.budgetMs * DECIDING);
  }

  /** An equal part of what is left, for each of `count` comparisons. */
  partMs(count: number): number {
    return this.leftMs() / count;
  }

  progress(stage: string, message: string, fraction?: number): void {
    this.context.progress({ stage, message, ...(fraction === undefined ? {} : { fraction }) });
  }

  /**
   * Runs a comparison. Where a subject cannot be compared the reason becomes a warning and the result is null;
   * an abortion goes through.
   */
  async compare(
    baseline: ComparisonSubject,
    candidate: ComparisonSubject,
    budgetMs: number,
    message: string,
  ): Promise<Comparison | null> {
    const { compare } = await import('../validation/compare.js');
    this.progress('validate', message);
    try {
      return await compare(baseline, candidate, {
        budgetMs: Math.max(1, budgetMs),
        ...(this.signal === undefined ? {} : { signal: this.signal }),
        onProgress: (progress) =>
          this.context.progress({
            ...progress,
            stage: 'validate',
            message: `${message}: ${progress.message}`,
          }),
      });
    } catch (error) {
      if (!(error instanceof SubjectError)) throw error;
      this.warnings.push(error.message);
      return null;
    }
  }

  private leftMs(): number {
    return Math.max(1, this.until - performance.now());
  }
}

/** Both sides of a comparison out of one of this room's own modules. */
export function trialSubject(
  module: './layout-trial.js' | './allocation-trial.js' | './size-class-trial.js',
  name: string,
  trial: object,
  label: string,
): ModuleSubject {
  return { module: new URL(module, import.meta.url), export: name, args: [trial], factory: true, label };
}

/** What a deciding comparison amounts to. */
export function statusOf(validation: Comparison | null): OptimizationStatus {
  if (validation === null) return 'failed';
  if (validation.verdict === 'faster') return 'applied';
  return validation.verdict === 'inconclusive' ? 'inconclusive' : 'no_improvement';
}

/** The reason of a failed first look, for people; what is no failure of a subject goes on. */
export function failureOf(error: unknown): string {
  if (error instanceof OptimizerError && error.code === 'ABORTED') throw error;
  return error instanceof Error ? error.message : String(error);
}
