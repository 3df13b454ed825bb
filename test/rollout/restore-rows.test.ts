import { beforeAll, describe, expect, it } from 'vitest';
import { registerShippedEnvs } from '../../envs/index.ts';
import { rowStatesFromContent, rowStatesToContent } from '../../src/algorithm/row-state-content.ts';
import { type EnvModuleSource, resolveEnv } from '../../src/env/env-source.ts';
import type { JsonObject } from '../../src/json.ts';
import type { PolicySpec } from '../../src/policy/policy-spec.ts';
import type { RowState } from '../../src/rollout/row-states.ts';
import { createRunner } from '../../src/rollout/runner.ts';
import { fixture, type GroupOptions, goOn, type OpenedGroup, openGroup, play } from './open-group.ts';

beforeAll(registerShippedEnvs);

/** Through the form in which checkpoints hold it. */
function stored(states: readonly RowState[], spec: PolicySpec): RowState[] {
  const { tensors, json } = rowStatesToContent(states, spec);
  return rowStatesFromContent(
    { tensors, json: JSON.parse(JSON.stringify(json)) as JsonObject },
    spec,
    states.length,
  );
}

async function resumed(options: GroupOptions, first: OpenedGroup): Promise<OpenedGroup> {
  const states = stored(await first.group.getStates(), first.spec);
  const second = await openGroup(options);
  expect(await second.group.start(states)).toEqual([]);
  return second;
}

const stateOnly = (): EnvModuleSource => ({
  ...resolveEnv('CartPole-v1'),
  module: new URL('./fixtures/state-only-vector.ts', import.meta.url).href,
  vectorExport: 'stateOnlyVector',
});

describe('environments that are put back into the middle of their episodes', () => {
  it.each<[string, () => GroupOptions]>([
    ['a user environment without getState', () => ({ source: fixture('troubled-env') })],
    ['a time limit from outside', () => ({ source: { ...fixture('continuous-env'), maxEpisodeSteps: 9 } })],
    ['a user environment with getState', () => ({ source: fixture('troubled-env', { savesState: true }) })],
    ['action masks', () => ({ source: fixture('counting-env', { masks: true }) })],
    [
      'action masks, with getState',
      () => ({ source: fixture('counting-env', { masks: true, savesState: true }) }),
    ],
    ['clipped continuous actions', () => ({ source: fixture('continuous-env') })],
    [
      'squashed continuous actions',
      () => ({ source: fixture('continuous-env'), policy: { squashActions: true } }),
    ],
    ['CartPole', () => ({ source: resolveEnv('CartPole-v1') })],
    ['a vector environment that cannot replay one row', () => ({ source: stateOnly() })],
    [
      'Pendulum with gSDE noise that is older than the rollout',
      () => ({ source: resolveEnv('Pendulum-v1'), policy: { useGsde: true, gsdeSampleFrequency: 20 } }),
    ],
  ])('go on bit for bit: %s', async (_, makeOptions) => {
    const options: GroupOptions = { ...makeOptions(), numEnvs: 5, rolloutLength: 7 };
    const unbroken = await openGroup(options);
    const expected = await play(unbroken, 4);
    const first = await openGroup(options);
    await play(first, 2);
    const second = await resumed(options, first);
    const third = await goOn(second, 2, 1);
    expect(third.rollouts[0]).toEqual(expected.rollouts[2]);
    expect(third.metrics[0]).toEqual(expected.metrics[2]);
    expect(third.episodes[0]).toEqual(expected.episodes[2]);
    // Once more, from a run that was itself resumed.
    const fourth = await goOn(await resumed(options, second), 3, 1);
    expect(fourth.rollouts[0]).toEqual(expected.rollouts[3]);
    expect(fourth.episodes[0]).toEqual(expected.episodes[3]);
  });

  it('can be replayed although they could save a state: what replaces a dead worker', async () => {
    for (const source of [
      fixture('troubled-env', { savesState: true }),
      resolveEnv('CartPole-v1'),
      stateOnly(),
    ]) {
      const options: GroupOptions = { source, numEnvs: 3, rolloutLength: 5 };
      const expected = await play(await openGroup(options), 3);
      const first = await openGroup(options);
      await play(first, 2);
      const states = await first.group.getStates();
      const bySeed = stored(states, first.spec).map((state, n) => ({
        ...state,
        envState: null,
        actions: runningActions(expected.rollouts.slice(0, 2), n),
      }));
      expect(bySeed.map((state) => state.actions.length)).toEqual(states.map((state) => state.episodeStep));
      const second = await openGroup(options);
      expect(await second.group.start(bySeed)).toEqual([]);
      const { rollouts } = await goOn(second, 2, 1);
      expect(rollouts[0]).toEqual(expected.rollouts[2]);
    }
  });

  it('restart their episode when they are not deterministic, and say so', async () => {
    const options: GroupOptions = { source: fixture('fickle-env'), numEnvs: 3, rolloutLength: 6 };
    const first = await openGroup(options);
    await play(first, 1);
    const states = await first.group.getStates();
    const second = await openGroup(options);
    expect(await second.group.start(states)).toEqual([0, 1, 2]);
    const { rollout } = await second.group.collect(second.publish());
    for (let n = 0; n < 3; n++) expect(rollout.observations[n * 6 * 2]).toBe(0); // step 0 again
    const after = await second.group.getStates();
    expect(after.map((state) => state.episodeStep)).toEqual([6, 6, 6]);
    expect(after.map((state) => state.episodeReturn)).toEqual([6, 6, 6]);
  });

  it('restart when the replayed episode ends too early', async () => {
    const options: GroupOptions = { source: fixture('counting-env'), numEnvs: 2, rolloutLength: 3 };
    const { group, spec, runnerOptions } = await openGroup(options);
    await group.start(null);
    const [state] = await group.getStates();
    const tooLong = { ...state, episodeStep: 7, actions: new Int32Array(7).fill(1), observation: null };
    expect(spec.observationSize).toBe(3);
    const runner = await createRunner({ ...runnerOptions, states: [state, tooLong] });
    expect(runner.restarted).toEqual([1]);
  });
});

/** Actions since the last end, out of snapshots (columns 1, 5 and 6). */
function runningActions(rollouts: readonly number[][][], n: number): Int32Array {
  let actions: number[] = [];
  for (const [, stepActions, , , , terminated, truncated] of rollouts) {
    const T = terminated.length / 3;
    for (let i = n * T; i < (n + 1) * T; i++) {
      actions.push(stepActions[i]);
      if (terminated[i] + truncated[i] > 0) actions = [];
    }
  }
  return Int32Array.from(actions);
}
