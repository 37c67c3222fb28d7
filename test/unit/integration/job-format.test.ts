import { describe, expect, it } from 'vitest';
import { fail, TaskError } from '../../../dist/errors.js';
import { errorOf, errorText, jobDataOf, jobIdOf } from '../../../dist/integration/bullmq/job-format.js';

const address = { module: 'tasks/x.js', export: 'run' };
const through = (error: unknown) => errorOf(errorText(error, 'consumer a:1'), address, '    at caller');

describe('the error of a failed job', () => {
  it('keeps class, message, cause, properties and the stacks of both sides', () => {
    class StockError extends RangeError {
      item = 'tea';
      at = new Date(0);
    }
    const copy = through(new StockError('none left', { cause: new TypeError('empty') })) as StockError;
    expect(copy).toBeInstanceOf(RangeError);
    expect(copy.constructor.name).toBe('StockError');
    expect(copy).toMatchObject({
      message: 'none left',
      item: 'tea',
      at: new Date(0),
      cause: { message: 'empty' },
    });
    expect(copy.cause).toBeInstanceOf(TypeError);
    expect(copy.stack).toMatch(/job-format\.test[^]*<thread consumer a:1>\n {4}at caller/);
  });

  it('keeps this library’s errors and thrown values', () => {
    const own = through(fail('WORKER_DIED', { task: 'x', how: 'exit code 1' }));
    expect(own).toBeInstanceOf(TaskError);
    expect(own).toMatchObject({ code: 'WORKER_DIED' });
    expect(through(42)).toBe(42);
  });

  it('begins with a line for people', () => {
    expect(errorText(new TypeError('no tea'), 'x').split('\n')[0]).toBe('TypeError: no tea');
  });

  it('shortens what is too long, whatever it is', () => {
    const huge = Object.assign(new Error('m'.repeat(1e5), { cause: new Error('c'.repeat(1e5)) }), {
      data: 'x'.repeat(1e6),
      code: 'E_HUGE',
    });
    for (const error of [huge, 'v'.repeat(1e6)]) expect(errorText(error, 'x').length).toBeLessThan(20_000);
    expect(through(huge)).toMatchObject({ code: 'E_HUGE', cause: { message: 'c'.repeat(2_000) } });
  });

  it('loses what only threads can carry, and no more', () => {
    const error = Object.assign(new RangeError('shared'), {
      code: 'E_SHARED',
      memory: new SharedArrayBuffer(8),
    });
    const copy = through(error) as RangeError;
    expect(copy).toBeInstanceOf(RangeError);
    expect(copy).toMatchObject({ message: 'shared', code: 'E_SHARED' });
  });

  it('is given up where it cannot be read', () => {
    const text = errorText(new Error('own'), 'x');
    const cut = errorOf(text.slice(0, -5), address, '');
    expect(cut).toMatchObject({ code: 'JOB_GIVEN_UP', message: expect.stringContaining('Error: own') });
  });

  it('is ours where BullMQ gave a job up', () => {
    expect(errorOf('job stalled more than allowable limit', address, '')).toMatchObject({
      code: 'JOB_GIVEN_UP',
    });
  });
});

describe('jobs', () => {
  it('have one id for one key of one task', () => {
    expect(jobIdOf(address, 'a')).toBe(jobIdOf({ ...address }, 'a'));
    expect(jobIdOf(address, 'a')).not.toBe(jobIdOf({ ...address, export: 'b' }, 'a'));
    expect(jobIdOf(address, undefined)).not.toBe(jobIdOf(address, undefined));
    expect(jobIdOf(address, 'a:b')).not.toContain(':');
  });

  it.each([[undefined], [{}], [{ v: 2, task: address, args: { json: 1 } }], ['text']])(
    'of others are refused: %j',
    (data) => {
      expect(() => jobDataOf(data)).toThrow(expect.objectContaining({ code: 'TASK_REFUSED' }));
    },
  );
});
