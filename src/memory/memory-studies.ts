/** Questions that the settings ask beside the layout: fused loops, arenas, pools and buddy blocks, each measured. */
import type { Comparison } from '../model/comparison.js';
import type { AllocationTrial } from './allocation-trial.js';
import { buddyFragmentation } from './allocation-trial.js';
import type { LayoutTrial } from './layout-trial.js';
import type { Study } from './memory-request.js';
import { trialSubject, type TrialBudget } from './trial-budget.js';

export interface StudyResult {
  readonly study: Study;
  readonly question: string;
  readonly comparison: Comparison | null;
  /** What was measured, and what it means for the user's code. */
  readonly detail: Readonly<Record<string, unknown>>;
}

interface Question {
  readonly question: string;
  readonly baseline: readonly [name: string, label: string];
  readonly candidate: readonly [name: string, label: string];
  readonly advice: string;
}

const ALLOCATION: Readonly<Record<Exclude<Study, 'loop_fusion'>, Question>> = {
  object_pools: {
    question: 'Does a slab pool pay against Buffer.allocUnsafe for blocks that come and go?',
    baseline: ['freshAllocation', 'Buffer.allocUnsafe'],
    candidate: ['slabAllocation', 'SlabPool'],
    advice: 'Take such buffers from a SlabPool of this slot size.',
  },
  scope_minimization: {
    question: 'Do temporaries in an arena scope pay against fresh ones?',
    baseline: ['freshScope', 'fresh temporaries'],
    candidate: ['arenaScope', 'arena scope'],
    advice: 'Give temporaries the lifetime of a scope: using _ = arena.scope().',
  },
  thread_arena: {
    question: 'Does the arena of the thread pay against fresh blocks?',
    baseline: ['freshScope', 'Buffer.allocUnsafe'],
    candidate: ['arenaScope', 'Arena.forThread'],
    advice: 'Let each worker allocate from Arena.forThread() and reset it as a whole.',
  },
  buddy_system: {
    question: 'Do buddy blocks pay against Buffer.allocUnsafe for blocks of mixed sizes?',
    baseline: ['freshMixed', 'Buffer.allocUnsafe, mixed sizes'],
    candidate: ['buddyMixed', 'BuddyAllocator'],
    advice: 'Take blocks of mixed sizes from a BuddyAllocator.',
  },
};

/** Answers an allocation question for blocks of the subject's own size. */
export async function allocationStudy(
  study: Exclude<Study, 'loop_fusion'>,
  trial: AllocationTrial,
  budget: TrialBudget,
  budgetMs: number,
): Promise<StudyResult> {
  const { question, baseline, candidate, advice } = ALLOCATION[study];
  const comparison = await budget.compare(
    trialSubject('./allocation-trial.js', baseline[0], trial, baseline[1]),
    trialSubject('./allocation-trial.js', candidate[0], trial, candidate[1]),
    budgetMs,
    question,
  );
  return {
    study,
    question,
    comparison,
    detail: {
      blockBytes: trial.blockBytes,
      liveBlocks: trial.live,
      ...(study === 'buddy_system' ? { fragmentation: buddyFragmentation(trial) } : {}),
      advice: comparison?.verdict === 'faster' ? advice : 'Leave the code as it is.',
    },
  };
}

/** Whether one pass over all fields beats one pass per field, on the layout that is in force after the optimisation. */
export async function fusionStudy(
  trial: LayoutTrial,
  budget: TrialBudget,
  budgetMs: number,
): Promise<StudyResult> {
  const question = 'Does one pass that reads all fields beat one pass per field?';
  const withPasses = (passes: 'fused' | 'separate'): LayoutTrial => ({
    types: trial.types.map((each) => ({
      ...each,
      pattern: { ...each.pattern, access: 'sequential', passes },
    })),
  });
  const fields = trial.types.map((each) => each.pattern.scanned.length);
  const comparison = await budget.compare(
    trialSubject('./layout-trial.js', 'layoutTrial', withPasses('separate'), 'one pass per field'),
    trialSubject('./layout-trial.js', 'layoutTrial', withPasses('fused'), 'one fused pass'),
    budgetMs,
    question,
  );
  return {
    study: 'loop_fusion',
    question,
    comparison,
    detail: {
      fieldsPerPass: fields,
      advice:
        comparison?.verdict === 'faster'
          ? 'Fuse loops over the same records into one.'
          : comparison?.verdict === 'slower'
            ? 'Keep one loop per field for records in this order.'
            : 'Leave the loops as they are.',
    },
  };
}
