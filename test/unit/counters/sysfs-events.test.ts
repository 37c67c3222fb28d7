import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCounterAlias, listCounterAliases } from '../../../dist/counters/sysfs-events.js';

// As an Intel server's folders, cut down, and one unit of a memory controller.
const FILES: Record<string, string> = {
  'cpu/type': '4\n',
  'cpu/format/event': 'config:0-7\n',
  'cpu/format/umask': 'config:8-15\n',
  'cpu/format/cmask': 'config:24-31\n',
  'cpu/format/ldlat': 'config1:0-15\n',
  'cpu/format/split': 'config:0-3,40-43\n',
  'cpu/format/wide': 'config2:0-63\n',
  'cpu/events/cycles': 'event=0x3c\n',
  'cpu/events/misses': 'event=0x2e,umask=0x41\n',
  'cpu/events/slots': 'event=0x00,umask=0x4,cmask=1\n',
  'cpu/events/mem-loads': 'event=0xcd,umask=0x1,ldlat=3\n',
  'cpu/events/spread': 'split=0xa5\n',
  'cpu/events/by-config': 'config=0x1234\n',
  'cpu/events/wanting': 'event=?\n',
  'cpu/events/elsewhere': 'wide=1\n',
  'cpu/events/unknown-term': 'flavour=1\n',
  'cpu/events/cycles.scale': '1\n',
  'uncore_imc/type': '18\n',
  'uncore_imc/cpumask': '0\n',
  'uncore_imc/format/event': 'config:0-7\n',
  'uncore_imc/events/reads': 'event=0x4\n',
  'broken/events/cycles': 'event=0x3c\n',
};

let devices = '';
beforeAll(() => {
  devices = mkdtempSync(join(tmpdir(), 'sysopt-events-'));
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(devices, path)), { recursive: true });
    writeFileSync(join(devices, path), text);
  }
});
afterAll(() => rmSync(devices, { recursive: true, force: true }));

describe("the kernel's own names of events", () => {
  it('are all listed, except for those that numbers do not describe', () => {
    expect(listCounterAliases(devices)).toEqual([
      { name: 'cpu/by-config/', type: 4, config: 0x1234, config1: 0, perThread: true },
      { name: 'cpu/cycles/', type: 4, config: 0x3c, config1: 0, perThread: true },
      { name: 'cpu/mem-loads/', type: 4, config: 0x1cd, config1: 3, perThread: true },
      { name: 'cpu/misses/', type: 4, config: 0x412e, config1: 0, perThread: true },
      { name: 'cpu/slots/', type: 4, config: 0x1000400, config1: 0, perThread: true },
      { name: 'cpu/spread/', type: 4, config: 5 + 0xa * 2 ** 40, config1: 0, perThread: true },
      { name: 'uncore_imc/reads/', type: 18, config: 4, config1: 0, perThread: false },
    ]);
  });

  it('are found by name', () => {
    expect(findCounterAlias('cpu/misses/', devices)).toMatchObject({ config: 0x412e });
  });

  it.each([
    'cpu/nothing/',
    'gpu/cycles/',
    'cpu',
    'cpu/cycles',
    '../cpu/cycles/',
    'cpu/../',
    '',
    'cpu//',
    'broken/cycles/',
  ])('are not found as %j', (name) => {
    expect(findCounterAlias(name, devices)).toBeUndefined();
  });

  it('are none where the kernel has no such folder', () => {
    expect(listCounterAliases(join(devices, 'nowhere'))).toEqual([]);
  });
});
