/**
 * What lies around a corpus program and cannot be part of it: a container's limits, made as a control group where
 * the machine lets us, and figures of a host that no program can bring about (`scripted`), which replace what the
 * samplers read. A case says which it is; nothing scripted passes for measured.
 */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
const PERIOD_US = 100_000;

/** Version 1 has a folder for each controller, version 2 one for all. */
function limits({ cpus, memoryBytes }) {
  const isV2 = existsSync(join(ROOT, 'cgroup.controllers'));
  const quotaUs = String(Math.round((cpus ?? 0) * PERIOD_US));
  const files = [];
  if (cpus !== undefined)
    files.push(isV2 ? ['', 'cpu.max', `${quotaUs} ${PERIOD_US}`] : ['cpu', 'cpu.cfs_quota_us', quotaUs]);
  if (memoryBytes !== undefined)
    files.push(
      isV2
        ? ['', 'memory.max', String(memoryBytes)]
        : ['memory', 'memory.limit_in_bytes', String(memoryBytes)],
    );
  return files;
}

/**
 * Makes a group with the limits of the case. `enter` puts a process into it: a running one, whose load then stays
 * outside; `wrap` gives the command that enters it first, because memory counts where it was first touched.
 *
 * @throws where the machine does not let us make a group: the case cannot be run there.
 */
export function confinement(wanted) {
  const folders = new Set();
  for (const [controller, file, value] of limits(wanted)) {
    const folder = join(ROOT, controller, `sysopt-corpus-${process.pid}`);
    if (!folders.has(folder)) mkdirSync(folder);
    folders.add(folder);
    writeFileSync(join(folder, file), value);
  }
  const lists = [...folders].map((folder) => join(folder, 'cgroup.procs'));
  return {
    enter: (pid) => lists.forEach((list) => writeFileSync(list, String(pid))),
    wrap: (command) => [
      'sh',
      '-c',
      `${lists.map((list) => `echo $$ > ${list}; `).join('')}exec "$@"`,
      'sh',
      ...command,
    ],
    /** Once the processes are gone. */
    async remove() {
      for (const folder of folders) await removeGroup(folder);
    },
  };
}

/** The kernel takes a moment to let go of what has ended. */
async function removeGroup(folder) {
  for (let tries = 0; ; tries += 1) {
    try {
      return rmdirSync(folder);
    } catch (error) {
      if (tries === 20) return console.error(`${folder} stays: ${error.message}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The signals with what the case says of the host in place of what was read here. */
export function script(signals, figures) {
  const metrics = { ...signals.metrics };
  for (const [name, value] of Object.entries(figures))
    metrics[name] = { ...metrics[name], available: true, value, unit: metrics[name]?.unit ?? 'ratio' };
  return { ...signals, metrics };
}
