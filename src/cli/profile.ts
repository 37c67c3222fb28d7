import type { ProfilingResult } from '../model/profiling-result.js';
import { checkProfileOptions } from '../profiling/session.js';
import { EXIT, UsageError } from './exit-code.js';
import { loadExtensions } from './extensions.js';
import { reachesGate } from './fail-on.js';
import { readLoad } from './load-file.js';
import { printResult } from './print-findings.js';
import type { ProfileVerbOptions } from './profile-contract.js';
import { observeProcess } from './profile-process.js';
import { observeProgram } from './profile-program.js';
import type { Session, VerbOutcome } from './session.js';
import { prepareStorage } from './store.js';

/**
 * `sysopt profile`: profiles a program that it starts (profile-program.ts) or, with `--pid`, a process that runs already
 * (profile-process.ts), diagnoses what was measured, stores it and says what to do.
 */
export async function profileVerb(
  command: readonly string[],
  options: ProfileVerbOptions,
  session: Session,
): Promise<VerbOutcome> {
  checkTarget(command, options);
  checkProfileOptions(options.type, options);
  await prepareStorage(options.storage);
  const requests = options.load === undefined ? undefined : await readLoad(options.load, options.url);
  const { terminal, signal } = session;
  const extensions = options.extend === undefined ? undefined : await loadExtensions(options.extend);
  if (extensions?.hasSamplers === true && options.pid !== undefined) {
    terminal.warn(
      'The samplers of --extend are not loaded into a running process: its rules alone are used.',
    );
  }

  const { pid, description, signals, load, failed } =
    options.pid === undefined
      ? await observeProgram(command, options, requests, extensions, session)
      : await observeProcess(options.pid, options, requests, session);
  signal.throwIfAborted();
  terminal.progress({ stage: 'analyse', message: 'Looking for causes' });
  const { SystemOptimizer } = await import('../system-optimizer.js');
  const optimizer = new SystemOptimizer({ storagePath: options.storage });
  let result: ProfilingResult;
  try {
    for (const rule of extensions?.rules ?? []) optimizer.addRule(rule);
    result = await optimizer.completeResult(signals, {
      pid,
      description: description ?? command.join(' '),
      ...(load && { load }),
    });
  } finally {
    await optimizer.close();
  }

  const { reasonsExplained } = await import('./measuring-checks.js');
  printResult(terminal, result, reasonsExplained());
  for (const warning of result.warnings) terminal.warn(warning);
  terminal.print();
  if (result.stored === false) {
    // Standard output has the result either way; the exit code says that there is no other copy.
    terminal.warn(
      'The result is printed here alone. Keep it: add --json, or give another --storage next time.',
    );
    return { result, exitCode: EXIT.storage };
  }
  terminal.print(
    terminal.style('dim', `Stored as ${result.id} in ${options.storage}. See it with: sysopt report`),
  );
  const { failOn } = options;
  const gate = failOn !== undefined && reachesGate(result.analysis.findings, failOn);
  if (gate) terminal.warn(`A finding is ${failOn} or worse (--fail-on ${failOn}).`);
  // A process that was killed: what was read is stored, but there is no profile.
  const isLost = options.pid !== undefined && signals.metrics['cpu.samples'] === undefined;
  return { result, exitCode: isLost || failed === true ? EXIT.target : gate ? EXIT.gate : EXIT.ok };
}

function checkTarget(command: readonly string[], { pid, agent, retainers }: ProfileVerbOptions): void {
  if (command.length === 0 && pid === undefined) {
    throw new UsageError(
      'There is no program to profile.',
      'Put it after `--`, as in sysopt profile -- node app.js, or name a running one with --pid.',
    );
  }
  if (command.length > 0 && pid !== undefined) {
    throw new UsageError('Both a program to start and --pid are given.', 'Give one of them.');
  }
  if (pid !== undefined && !agent && retainers === true) {
    throw new UsageError(
      '--retainers needs the agent in the process.',
      'Leave --no-agent out, or --retainers.',
    );
  }
  if (pid === undefined && !agent) {
    throw new UsageError(
      '--no-agent goes with --pid.',
      'A program that sysopt starts is profiled by its agent.',
    );
  }
}
