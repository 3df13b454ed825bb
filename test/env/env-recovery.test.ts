/** A long episode that fails is brought back from a state of the environment's, not from all of its actions. */
import { expect, it } from 'vitest';
import type { Env } from '../../src/env/env.ts';
import type { EnvFault } from '../../src/env/env-faults.ts';
import { Box } from '../../src/env/spaces.ts';
import { vectorizeEnv } from '../../src/env/vectorize.ts';
import { makeRows } from './step-rows.ts';

/** Actions of so many elements that an episode is long (2^16 elements) after 16 steps. */
const ACTION_SIZE = 4096;
const LONG_AFTER = 16;
const FAILS_AT = 20;

/** Sums up the actions of an episode, whose first step 20 fails. @returns what it saw, and how many steps its second instance took. */
function playThroughFailure(state: Pick<Env, 'getState'> | 'its own' | 'none', maxHistory?: number) {
  const steps = [0, 0]; // of each instance
  let numInstances = 0;
  let hasFailed = false;
  const create = (): Env => {
    const instance = numInstances++;
    let [t, sum] = [0, 0];
    return {
      observationSpace: new Box(-Infinity, Infinity, [2]),
      actionSpace: new Box(-1, 1, [ACTION_SIZE]),
      reset() {
        [t, sum] = [0, 0];
        return { observation: [t, sum] };
      },
      step(action) {
        steps[instance] += 1;
        if (t + 1 === FAILS_AT && !hasFailed) {
          hasFailed = true;
          throw new Error('out of luck');
        }
        t += 1;
        sum += (action as Float32Array)[ACTION_SIZE - 1];
        return { observation: [t, sum], reward: sum, terminated: false, truncated: false };
      },
      ...(state !== 'none' && {
        getState: () => [t, sum],
        setState: (saved) => {
          [t, sum] = saved as [number, number];
        },
      }),
      ...(typeof state === 'object' && state),
    };
  };
  const faults: EnvFault[] = [];
  const env = vectorizeEnv(create, 1, {
    faults: {
      restartFailedEnvs: 'replay',
      nonFinite: 'stop',
      onFault: (fault) => faults.push(fault),
      ...(maxHistory !== undefined && { maxHistory }),
    },
  });
  const rows = makeRows(env);
  env.reset(Uint32Array.of(1), rows);
  for (let k = 1; k <= FAILS_AT + 1; k++)
    env.step(new Float32Array(ACTION_SIZE).fill(k), Uint32Array.of(2), rows);
  return {
    last: [...rows.observations],
    numRepeated: steps[1],
    outcomes: faults.map((fault) => fault.outcome),
  };
}

const notNow = (): never => {
  throw new Error('not now');
};

it.each([
  ['from a state, where there is one', 'its own', FAILS_AT - LONG_AFTER],
  ['from its beginning, where there is none', 'none', FAILS_AT],
  ['from its beginning, where `getState` throws', { getState: notNow }, FAILS_AT],
] as const)('is repeated %s, and goes on as if nothing had happened', (_, state, numSteps) => {
  const { last, numRepeated, outcomes } = playThroughFailure(state);
  expect(outcomes).toEqual(['repeated']);
  expect(last).toEqual([21, (21 * 22) / 2]);
  expect(numRepeated).toBe(numSteps + 1); // and the one after it
});

it('is cut where it fails when it has become longer than what is kept, and repeated up to then', () => {
  const kept = playThroughFailure('none', FAILS_AT * ACTION_SIZE);
  expect(kept).toEqual(playThroughFailure('none'));
  const forgotten = playThroughFailure('none', LONG_AFTER * ACTION_SIZE);
  expect(forgotten.outcomes).toEqual(['new-episode']);
  expect(forgotten.numRepeated).toBe(0);
});
