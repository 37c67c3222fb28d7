import { describe, expect, it } from 'vitest';
import { workload } from '../../../dist/validation/workload.js';

describe('workload', () => {
  it('describes a setup in this process', () => {
    const setup = () => () => 1;
    const made = workload({ name: 'scan', subject: 'Order', setup });
    expect(made).toMatchObject({ kind: 'workload', name: 'scan', subject: 'Order', setup });
    expect(made.source).toBeUndefined();
  });

  it('describes a setup that fresh processes can load', () => {
    const made = workload({ name: 'scan', module: './scan.js', export: 'setup' });
    expect(made.source).toEqual({ module: './scan.js', export: 'setup', factory: true });
    expect(made.subject).toBeUndefined();
  });

  it.each([
    [undefined],
    [{}],
    [{ name: '' }],
    [{ name: 'a' }],
    [{ name: 'a', setup: 5 }],
    [{ name: 'a', module: 5, export: 'b' }],
    [{ name: 'a', module: 'b' }],
    [{ name: 'a', subject: 5, setup: () => () => 1 }],
    [{ name: 'a', setup: () => () => 1, module: 'b', export: 'c' }],
  ])('refuses %o', (options: any) => {
    expect(() => workload(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
