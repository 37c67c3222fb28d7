/**
 * Runs one rule and makes sure of what it gave. A rule may be the user's: a finding of a wrong shape would order the
 * others wrongly (an impact that is NaN) or make the store refuse the whole result.
 */
import { describe, fail } from '../errors.js';
import { CAUSES, SEVERITIES, type Finding } from '../model/finding.js';
import type { Rule, RuleResult } from './rule.js';
import type { SignalView } from './signal-view.js';

/** @throws what the rule throws; INVALID_ARGUMENT for a result of another shape than `RuleResult`. */
export function runRule(rule: Rule, view: SignalView): RuleResult {
  const result = rule.evaluate(view) as unknown;
  if (result instanceof Promise) result.catch(() => {});
  if (!isObject(result) || !Array.isArray(result['findings'])) {
    throw wrong('What evaluate() returned', result, 'an object with the list `findings`');
  }
  result['findings'].forEach((finding: unknown, index) => checkFinding(`findings[${index}]`, finding));
  const because = result['because'];
  if (because !== undefined && typeof because !== 'string') throw wrong('because', because, 'a text');
  return result as unknown as RuleResult;
}

function checkFinding(at: string, finding: unknown): void {
  if (!isObject(finding)) throw wrong(at, finding, 'a finding');
  const { cause, severity, confidence, impact, title, detail, evidence, location, expectedGain } = finding;
  if (!(CAUSES as readonly unknown[]).includes(cause)) throw wrong(`${at}.cause`, cause, 'one of CAUSES');
  if (!(SEVERITIES as readonly unknown[]).includes(severity)) {
    throw wrong(`${at}.severity`, severity, `one of ${SEVERITIES.join(', ')}`);
  }
  for (const [name, value] of Object.entries({ confidence, impact, expectedGain })) {
    if (value === undefined && name === 'expectedGain') continue;
    if (!(typeof value === 'number' && value >= 0 && value <= 1)) {
      throw wrong(`${at}.${name}`, value, 'a number from 0 to 1');
    }
  }
  if (typeof title !== 'string') throw wrong(`${at}.title`, title, 'a sentence for people');
  if (detail !== undefined && typeof detail !== 'string') throw wrong(`${at}.detail`, detail, 'a text');
  if (!Array.isArray(evidence) || !evidence.every(isEvidence)) {
    throw wrong(`${at}.evidence`, evidence, 'a list of { metric, value, unit, statement }');
  }
  if (location !== undefined && !isLocation(location)) {
    throw wrong(`${at}.location`, location, '{ function, file, line }');
  }
}

function isEvidence(value: unknown): value is Finding['evidence'][number] {
  return (
    isObject(value) &&
    [value['metric'], value['unit'], value['statement']].every((text) => typeof text === 'string') &&
    Number.isFinite(value['value'])
  );
}

function isLocation(value: unknown): boolean {
  return (
    isObject(value) &&
    [value['function'], value['file']].every((text) => typeof text === 'string') &&
    Number.isFinite(value['line'])
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function wrong(name: string, value: unknown, expected: string): Error {
  return fail('INVALID_ARGUMENT', { name, actual: describe(value), expected });
}
