import { describe, expect, it } from 'vitest';
import type { EnvFaultOutcome } from '../../src/env/env-faults.ts';
import { EnvError } from '../../src/errors.ts';
import { createEnvFaultBook, createEnvFaultLog } from '../../src/rollout/env-fault-log.ts';
import { fixture } from './open-group.ts';

const openLog = () =>
  createEnvFaultLog(
    { restartFailedEnvs: 'new-episode', nonFinite: 'clip' },
    fixture('troubled-env'),
    100, // first row
  );

function note(log: ReturnType<typeof openLog>, outcome: EnvFaultOutcome, times: number): void {
  for (let k = 0; k < times; k++) {
    const error = new EnvError('ENV_STEP_THREW', `${outcome} ${k}`, { envIndex: k });
    log.handling.onFault({ error, outcome });
  }
}

describe('the log of a thread', () => {
  it('counts everything, tells of the first 20 of each outcome, and begins anew when it is taken', () => {
    const log = openLog();
    expect(log.take()).toBeNull();
    note(log, 'clipped', 50);
    note(log, 'new-episode', 2);
    const report = log.take();
    expect(report?.counts).toEqual({ repeated: 0, 'new-episode': 2, clipped: 50 });
    expect(report?.first.map(({ outcome }) => outcome)).toEqual([
      ...new Array(20).fill('clipped'),
      ...new Array(2).fill('new-episode'),
    ]);
    expect(report?.first[21].error.place).toEqual({ envId: 'troubled-env', envIndex: 101 });
    expect(log.take()).toBeNull();
  });
});

describe('the book of a group', () => {
  it('adds up reports, and hands them out once', () => {
    const [one, two] = [openLog(), openLog()];
    note(one, 'repeated', 1);
    note(two, 'clipped', 3);
    const book = createEnvFaultBook({ maxEnvRestarts: 1, restartWindowMs: 1e6 });
    book.absorb([one.take(), null, two.take()]);
    const { counts, faults } = book.take();
    expect(counts).toEqual({ repeated: 1, 'new-episode': 0, clipped: 3 });
    expect(faults.map(({ error }) => error.message)).toEqual([
      'repeated 0',
      ...['clipped 0', 'clipped 1', 'clipped 2'],
    ]);
    expect(book.take()).toMatchObject({ counts: { repeated: 0, clipped: 0 }, faults: [] });
  });

  it('names the last restart when there were too many, not a number that was clipped later', () => {
    const log = openLog();
    note(log, 'repeated', 2);
    note(log, 'clipped', 5);
    const book = createEnvFaultBook({ maxEnvRestarts: 1, restartWindowMs: 1e6 });
    expect(() => book.absorb([log.take()])).toThrow(/restarted 2 times .* The last failure: repeated 1$/);
  });
});
