/** What every shipped environment must do, whatever its task. */
import { describe, expect, it } from 'vitest';
import { registerShippedEnvs } from '../../envs/index.ts';
import { checkEnv } from '../../src/env/check-env.ts';
import { formatCheckReport } from '../../src/env/check-report.ts';
import type { EnvFactory } from '../../src/env/env.ts';
import { type EnvModuleSource, resolveEnv } from '../../src/env/env-source.ts';
import { flatActionSize, flattenAction } from '../../src/env/flatten-action.ts';
import { flatSize, flattenObservation } from '../../src/env/flatten-space.ts';
import { makeEnv, makeVectorEnv } from '../../src/env/load-env.ts';
import { findEnv } from '../../src/env/registry.ts';
import { sampleSpace } from '../../src/env/space-values.ts';
import type { ActionArray, StepRows } from '../../src/env/vector-env.ts';
import { vectorizeEnv } from '../../src/env/vectorize.ts';
import { openStream } from '../../src/random/streams.ts';
import { makeRows } from '../env/step-rows.ts';
import { installedEnvIds } from './installed-envs.ts';

registerShippedEnvs();

/** Warnings that are the task's own nature, not mistakes. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'RepeatFirst-v0': ['ENV_TIME_LIMIT_TERMINATES'], // the sequence has an end, after which there is nothing to say
  'SparseMaze-v0': ['ENV_REWARD_ALWAYS_ZERO'], // that is what curiosity is for
  // Inertias and forces as Gymnasium has them; the tuned settings normalise them.
  'Humanoid-v5': ['ENV_OBSERVATION_SCALE'],
  'HumanoidStandup-v5': ['ENV_OBSERVATION_SCALE'],
};
/** Physics takes longer than rules. */
const NUM_PHYSICS_STEPS = 300;

async function factoryOf(source: EnvModuleSource): Promise<EnvFactory> {
  return (await import(source.module))[source.export];
}

describe.each(installedEnvIds('one agent'))('%s', (id) => {
  it('passes checkEnv', async () => {
    const hasPhysics = findEnv(id).peer !== undefined;
    const options = hasPhysics ? { numSteps: NUM_PHYSICS_STEPS } : {};
    const report = checkEnv(await factoryOf(resolveEnv(id)), options);
    const surprising = report.findings.filter(({ code }) => !EXPECTED[id]?.includes(code));
    expect(surprising, formatCheckReport(report)).toEqual([]);
  });

  it('plays alike as a native vector and as single environments, vectorized', async () => {
    const source = resolveEnv(id, { maxEpisodeSteps: 40 });
    const numEnvs = 3;
    const factory = await factoryOf(source);
    const native = await makeVectorEnv(source, numEnvs);
    const wrapped = vectorizeEnv(() => factory(source.options), numEnvs);
    expect(native.actionMaskSize).toBe(wrapped.actionMaskSize);
    const [nativeRows, wrappedRows] = [makeRows(native), makeRows(wrapped)];
    const stream = openStream(5, 'test', id);
    const seeds = Uint32Array.of(11, 12, 13);
    native.reset(seeds, nativeRows);
    wrapped.reset(seeds, wrappedRows);
    for (let t = 0; t < 200; t++) {
      expect(digest(nativeRows)).toBe(digest(wrappedRows));
      const actions = sampleActions(native, nativeRows.actionMasks, stream);
      const nextSeeds = seeds.map((_, n) => 100 * t + n);
      native.step(actions, nextSeeds, nativeRows);
      wrapped.step(actions, nextSeeds, wrappedRows);
    }
  });

  it('goes on from a saved state, or its repeated actions, exactly', async () => {
    const source = resolveEnv(id);
    const env = await makeVectorEnv(source, 2);
    const other = await makeVectorEnv(source, 2);
    const [rows, otherRows] = [makeRows(env), makeRows(other)];
    const stream = openStream(6, 'test', id);
    env.reset(Uint32Array.of(1, 2), rows);
    const played: ActionArray[] = [];
    for (let t = 0; t < 5; t++) {
      played.push(sampleActions(env, rows.actionMasks, stream));
      env.step(played[t], Uint32Array.of(3, 4), rows);
    }
    if (env.getState) {
      const states = JSON.parse(JSON.stringify([env.getState(0), env.getState(1)]));
      for (const n of [0, 1]) other.setState?.(n, states[n], otherRows);
    } else {
      const size = flatActionSize(env.actionSpace);
      for (const n of [0, 1]) {
        const actions = played.flatMap((batch) => [...batch.subarray(n * size, (n + 1) * size)]);
        const isBox = env.actionSpace.kind === 'box';
        other.replay?.(n, 1 + n, isBox ? Float32Array.from(actions) : Int32Array.from(actions), 5, otherRows);
      }
    }
    expect(otherRows.observations).toEqual(rows.observations);
    expect(otherRows.actionMasks).toEqual(rows.actionMasks);
    for (let t = 0; t < 60; t++) {
      const actions = sampleActions(env, rows.actionMasks, stream);
      env.step(actions, Uint32Array.of(t, t + 9), rows);
      other.step(actions, Uint32Array.of(t, t + 9), otherRows);
      expect(digest({ ...otherRows, finalObservations: rows.finalObservations })).toBe(digest(rows));
    }
  });

  it('has spaces that fit its rows', async () => {
    const env = await makeEnv(resolveEnv(id));
    const row = new Float32Array(flatSize(env.observationSpace));
    const { observation } = env.reset({ seed: 1 });
    expect(flattenObservation(env.observationSpace, observation, row, 0)).toBe(row.length);
  });
});

/** All that was written, as text: comparing texts takes a hundredth of the time of comparing arrays. */
function digest(rows: StepRows): string {
  const { observations, rewards, terminated, truncated, actionMasks, finalObservations } = rows;
  return [observations, rewards, terminated, truncated, actionMasks ?? [], finalObservations].join('|');
}

/** Random flat actions, allowed by the masks. */
function sampleActions(
  env: Awaited<ReturnType<typeof makeVectorEnv>>,
  masks: Uint8Array | null,
  stream: ReturnType<typeof openStream>,
): ActionArray {
  const size = flatActionSize(env.actionSpace);
  const isBox = env.actionSpace.kind === 'box';
  const actions = isBox ? new Float32Array(env.numRows * size) : new Int32Array(env.numRows * size);
  for (let n = 0; n < env.numRows; n++) {
    do flattenAction(env.actionSpace, sampleSpace(env.actionSpace, stream), actions, n * size);
    while (masks !== null && masks[n * env.actionMaskSize + actions[n]] === 0);
  }
  return actions;
}

it.each([
  ['Snake-v1', 'size', 7],
  ['KeyDoor-v1', 'size', 7],
  ['BitFlip-v0', 'numBits', 7],
  ['TMaze-v0', 'length', 7],
  ['RepeatFirst-v0', 'length', 7],
  ['SparseMaze-v0', 'size', 7],
  ['SparseMaze-v0', 'layout', 7],
  ['RepeatFirst-v0', 'numSymbols', 7],
  ['ConnectFour-v0', 'rows', 7],
  ['CartPoles-v0', 'numPoles', 7],
  ['MatrixGame-v0', 'rounds', 7],
  ['SimpleSpread-v3', 'numAgents', 7],
  ['PongDuel-v0', 'points', 7],
  ['Pursuit-v0', 'size', 7],
  ['Pursuit-v0', 'numPursuers', 7],
  ['Pursuit-v0', 'numEvaders', 7],
  ['Pursuit-v0', 'view', 7],
])('%s takes %s as an integer alone', async (id, option, value) => {
  const open = async (number: number): Promise<unknown> => {
    const source = resolveEnv(id, { [option]: number });
    return (await factoryOf(source))(source.options);
  };
  await expect(open(value)).resolves.toBeTypeOf('object');
  await expect(open(value + 0.5)).rejects.toMatchObject({
    code: 'CONFIG_ENV_OPTION',
    message: expect.stringMatching(`Expected option \`${option}\` of ${id} to be an integer in .*, got 7.5`),
  });
});
