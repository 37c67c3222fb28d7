/** The gate of `sysopt profile --fail-on`: whether a result holds a fault that is severe enough to fail a build. */
import { SEVERITIES, type Cause, type Finding, type Severity } from '../model/finding.js';

/** Statements about the whole program: a service that is well used is no fault, however little room it has left. */
const STATES: ReadonlySet<Cause> = new Set<Cause>(['healthy', 'saturated']);

export function reachesGate(findings: readonly Finding[], least: Severity): boolean {
  return findings.some(
    ({ cause, severity }) => !STATES.has(cause) && SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least),
  );
}
