import { describe, expect, it } from 'vitest';
import type { RolloutViews } from '../../src/experience/layout.ts';
import { openStream } from '../../src/random/streams.ts';
import { createEpisodeLedger, MANY_ACTIONS } from '../../src/rollout/episode-ledger.ts';
import { emptyRollout } from '../reference/empty-rollout.ts';
import { categorical, gaussian, makeSpec } from '../reference/policy-specs.ts';

const [N, T] = [3, 6];

function fill(rollout: RolloutViews, seed: number, endProbability: number): RolloutViews {
  const stream = openStream(seed, 'ledger');
  const isFloat = rollout.actions instanceof Float32Array;
  rollout.actions.forEach((_, k) => {
    rollout.actions[k] = isFloat ? stream.normal() : stream.integer(100);
  });
  for (let i = 0; i < N * T; i++) {
    rollout.rewards[i] = stream.normal();
    rollout.terminated[i] = stream.uniform() < endProbability ? 1 : 0;
    rollout.truncated[i] = stream.uniform() < endProbability ? 1 : 0;
  }
  rollout.bootstrapObservations.forEach((_, k) => {
    rollout.bootstrapObservations[k] = stream.normal();
  });
  return rollout;
}

/** All steps of environment n in one list; the running episode is what follows its last end. */
function runningEpisode(rollouts: readonly RolloutViews[], n: number, A: number) {
  let number = 0;
  let rewards: number[] = [];
  let actions: number[] = [];
  for (const rollout of rollouts) {
    for (let i = n * T; i < (n + 1) * T; i++) {
      rewards.push(rollout.rewards[i]);
      actions.push(...rollout.actions.subarray(i * A, (i + 1) * A));
      if (rollout.terminated[i] + rollout.truncated[i] === 0) continue;
      number += 1;
      rewards = [];
      actions = [];
    }
  }
  return { number, numSteps: rewards.length, episodeReturn: rewards.reduce((a, b) => a + b, 0), actions };
}

describe('the episode ledger', () => {
  it.each([
    ['two discrete actions, episodes end often', makeSpec(categorical(3, 4)), 0.3],
    ['two discrete actions, episodes end seldom', makeSpec(categorical(3, 4)), 0.03],
    ['two continuous actions, episodes never end', makeSpec(gaussian(2)), 0],
  ])('knows every running episode from its beginning: %s', (_, spec, endProbability) => {
    const ledger = createEpisodeLedger(spec, N);
    const rollouts: RolloutViews[] = [];
    for (let k = 0; k < 6; k++) {
      rollouts.push(fill(emptyRollout(spec, N, T), k, endProbability));
      ledger.absorb(rollouts[k]);
      for (const [n, state] of ledger.rowStates(0, N).entries()) {
        const expected = runningEpisode(rollouts, n, 2);
        expect(state.episodeNumber).toBe(expected.number);
        expect(state.episodeStep).toBe(expected.numSteps);
        expect(state.episodeReturn).toBe(expected.episodeReturn);
        expect([...state.actions]).toEqual(expected.actions);
        expect(state.envState).toBeNull();
        expect([...(state.observation ?? [])]).toEqual([
          ...rollouts[k].bootstrapObservations.subarray(4 * n, 4 * n + 4),
        ]);
      }
    }
  });

  it('goes on from the states that environments give, once an episode is long', () => {
    const spec = makeSpec(categorical(3, 4)); // two actions a step
    const ledger = createEpisodeLedger(spec, N);
    const absorb = (seed: number) => ledger.absorb(fill(emptyRollout(spec, N, T), seed, 0));
    absorb(0);
    ledger.adoptEnvStates([{ t: 6 }, null, { t: 6 }]);
    expect(ledger.rowStates(0, N).map((state) => state.envState)).toEqual([null, null, null]);
    for (let k = 1; k < 1400; k++) absorb(k);
    ledger.adoptEnvStates([{ t: 8400 }, null, { t: 8400 }]);
    const last = fill(emptyRollout(spec, N, T), 9999, 0);
    ledger.absorb(last);
    const [first, second] = ledger.rowStates(0, N);
    expect(first).toMatchObject({ envState: { t: 8400 }, episodeStep: 8406, episodeNumber: 0 });
    expect([...first.actions]).toEqual([...last.actions.subarray(0, 2 * T)]);
    expect(second).toMatchObject({ envState: null, episodeStep: 8406 });
    expect(second.actions).toHaveLength(2 * 8406);
  });

  it('tells once of an episode whose actions take a mebielement', () => {
    const spec = makeSpec(categorical(3, 4));
    const ledger = createEpisodeLedger(spec, 1);
    const length = MANY_ACTIONS / 8;
    const rollout = emptyRollout(spec, 1, length);
    for (let k = 1; k <= 3; k++) {
      ledger.absorb(rollout);
      expect(ledger.takeEndless()).toBeNull();
    }
    ledger.absorb(rollout);
    expect(ledger.takeEndless()).toEqual({ row: 0, numSteps: MANY_ACTIONS / 2, bytes: 4 * MANY_ACTIONS });
    ledger.absorb(rollout);
    expect(ledger.takeEndless()).toBeNull();
  });

  it('gives rows by their index, as copies', () => {
    const spec = makeSpec(categorical(3));
    const ledger = createEpisodeLedger(spec, N);
    ledger.absorb(fill(emptyRollout(spec, N, T), 1, 0));
    const all = ledger.rowStates(0, N);
    const some = ledger.rowStates(1, 2);
    expect(some).toEqual(all.slice(1));
    some[0].actions.fill(99);
    some[0].observation?.fill(99);
    expect(ledger.rowStates(0, N)).toEqual(all);
  });

  it('lists the ended episodes by (t, environment)', () => {
    const spec = makeSpec(categorical(3));
    const rollout = emptyRollout(spec, N, T);
    for (const [n, t, kind] of [
      [2, 0, 'terminated'],
      [0, 3, 'truncated'],
      [1, 3, 'terminated'],
      [2, 5, 'truncated'],
    ] as const) {
      rollout[kind][n * T + t] = 1;
      rollout.episodeReturns[n * T + t] = 10 * n + t + 0.25;
      rollout.episodeLengths[n * T + t] = t + 1;
    }
    expect(createEpisodeLedger(spec, N).absorb(rollout)).toEqual([
      { envIndex: 2, episodeReturn: 20.25, episodeLength: 1 },
      { envIndex: 0, episodeReturn: 3.25, episodeLength: 4 },
      { envIndex: 1, episodeReturn: 13.25, episodeLength: 4 },
      { envIndex: 2, episodeReturn: 25.25, episodeLength: 6 },
    ]);
  });

  it('goes on from states, with and without an environment state in them', () => {
    const spec = makeSpec(categorical(3, 3));
    const whole = createEpisodeLedger(spec, N);
    whole.absorb(fill(emptyRollout(spec, N, T), 1, 0.05));
    const resumed = createEpisodeLedger(spec, N);
    const states = whole
      .rowStates(0, N)
      .map((state, n) =>
        n === 1 ? { ...state, envState: ['saved'], actions: state.actions.slice(0, 0) } : state,
      );
    resumed.setRowStates(states);
    expect(resumed.rowStates(0, N)).toEqual(states);
    const next = fill(emptyRollout(spec, N, T), 2, 0);
    for (const ledger of [whole, resumed]) ledger.absorb(next);
    const [expected, after] = [whole.rowStates(0, N), resumed.rowStates(0, N)];
    expect([after[0], after[2]]).toEqual([expected[0], expected[2]]);
    // Row 1 goes on from the saved state: only what came after it has to be repeated.
    expect(after[1]).toEqual({
      ...expected[1],
      envState: ['saved'],
      actions: next.actions.slice(2 * T, 4 * T),
    });

    // Once the episode has ended the state is of no more use.
    const ending = fill(emptyRollout(spec, N, T), 3, 0);
    ending.terminated[T] = 1;
    for (const ledger of [whole, resumed]) ledger.absorb(ending);
    expect(resumed.rowStates(1, 1)).toEqual(whole.rowStates(1, 1));
  });
});
