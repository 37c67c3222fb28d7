/**
 * The program that takes a first look at candidates, apart from the service: it does not hold up its event loop,
 * and the user's module is loaded once per candidate, so that each runs code that has seen no other's types.
 */
import { text } from 'node:stream/consumers';
import { poolTrial, type PoolTrial } from './allocation-trial.js';
import { layoutTrial, workloadTrial, type LayoutTrial, type WorkloadTrial } from './layout-trial.js';
import { screen } from './screening.js';

export type ScreeningTrial =
  | { readonly name: 'layoutTrial'; readonly trial: LayoutTrial }
  | { readonly name: 'workloadTrial'; readonly trial: WorkloadTrial }
  | { readonly name: 'poolTrial'; readonly trial: PoolTrial };

export interface ScreeningRequest {
  readonly trials: readonly ScreeningTrial[];
  readonly budgetMs: number;
}

/** Ratios by position in the request, or why there are none. */
export type ScreeningAnswer = { readonly ratios: readonly number[] } | { readonly error: string };

async function answer({ trials, budgetMs }: ScreeningRequest): Promise<ScreeningAnswer> {
  try {
    const runners = [];
    for (const [item, each] of trials.entries()) runners.push({ item, run: await runnerOf(each) });
    const ratios: number[] = [];
    for (const { item, ratio } of await screen(runners, budgetMs, undefined)) ratios[item] = ratio;
    return { ratios };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function runnerOf(each: ScreeningTrial): (() => unknown) | Promise<() => unknown> {
  if (each.name === 'layoutTrial') return layoutTrial(each.trial);
  return each.name === 'poolTrial' ? poolTrial(each.trial) : workloadTrial(each.trial);
}

const request = JSON.parse(await text(process.stdin)) as ScreeningRequest;
// Descriptor 3: what the user's module prints goes elsewhere.
const { writeSync } = await import('node:fs');
writeSync(3, JSON.stringify(await answer(request)));
process.exit(0); // whatever the module keeps open
