/**
 * A small algorithm around a real replay buffer and the real shell: every iteration appends steps that follow from the seed and its number,
 * samples by priority, and folds what it sampled into its weights. Equal weights mean that the same was sampled.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createAlgorithm } from '../../src/algorithm/shell.ts';
import { fieldState, streamSchema } from '../../src/checkpoint/field-state.ts';
import { openStream } from '../../src/random/streams.ts';
import { createPrioritisedSampler } from '../../src/replay/prioritised-sampler.ts';
import { createReplay, type Replay } from '../../src/replay/replay.ts';
import type { ReplaySpec } from '../../src/replay/replay-spec.ts';
import { replayState } from '../../src/replay/replay-state.ts';
import { batchOf } from './recorded-steps.ts';

export const toySpec: ReplaySpec = {
  capacity: 300,
  numRows: 3,
  observationSize: 8,
  observationDtype: 'uint8',
  frameStack: { numFrames: 2, groupSize: 1 },
  actionSize: 2,
  actionDtype: 'float32',
  maskSize: 2,
  segmentSteps: 7,
};
const T = 16;

export interface ReplayToyOptions {
  readonly seed?: number;
  readonly isReplaySaved?: boolean;
  /** Wall time of an iteration. */
  readonly iterationMs?: number;
  readonly onTrain?: (iteration: number) => void;
}

export type ReplayToy = Algorithm & { readonly replay: Replay; readonly digest: string };

export function createReplayToy(options: ReplayToyOptions = {}): ReplayToy {
  const { seed = 0, isReplaySaved = true } = options;
  const replay = createReplay(toySpec);
  const sampler = createPrioritisedSampler(replay, 2);
  const stream = openStream(seed, 'replay');
  let digest = '';
  const batch = batchOf(toySpec, 8);
  const indices = new Int32Array(8);
  const weights = new Float32Array(8);
  const algorithm = createAlgorithm({
    name: 'replay-toy',
    config: { reporting: { metricsWindow: 10 }, debugging: { seed } },
    configJson: { algorithm: 'replay-toy', seed },
    banner: ['replay', 'toy'],
    async iterate(numEnvSteps) {
      options.onTrain?.(numEnvSteps / (3 * T) + 1);
      if (options.iterationMs !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, options.iterationMs));
      }
      replay.append(fragmentOf(seed, numEnvSteps));
      for (let k = 0; k < 4; k++) {
        sampler.sample(stream, 0.6, 0.5, indices, weights);
        replay.gather(indices, 2, 0.9, batch);
        sampler.update(indices, batch.rewards, 0.6);
        const hash = createHash('sha256').update(digest);
        for (const array of [...Object.values(batch), weights]) hash.update(new Uint8Array(array.buffer));
        digest = hash.digest('hex');
      }
      return { numEnvSteps: 3 * T, episodes: [], envMetrics: {}, metrics: {} };
    },
    isHalfDone: () => true,
    state: [
      replayState(replay, { sampler, isSaved: isReplaySaved }),
      fieldState({
        field: ['digest'],
        schema: z.string(),
        getState: () => digest,
        setState: (value) => {
          digest = value;
        },
      }),
      fieldState({
        field: ['stream'],
        schema: streamSchema,
        getState: stream.getState,
        setState: stream.setState,
      }),
    ],
    runners: null,
    evaluation: null,
    stop: async () => undefined,
  });
  const toy = { replay };
  Object.defineProperties(toy, Object.getOwnPropertyDescriptors(algorithm));
  Object.defineProperty(toy, 'digest', { get: () => digest });
  return toy as unknown as ReplayToy;
}

/** Whole episodes: each row plays two, one terminated in the middle, one truncated at the end. */
function fragmentOf(seed: number, numEnvSteps: number) {
  const stream = openStream(seed, 'fragment', numEnvSteps);
  const bytes = (length: number) => Uint8Array.from({ length }, () => stream.integer(256));
  const N = 3;
  const observations = new Uint8Array(N * T * 8);
  const finalObservations = new Uint8Array(N * 2 * 8);
  const flags = { terminated: new Uint8Array(N * T), truncated: new Uint8Array(N * T) };
  const finalSlots = new Int32Array(N * T).fill(-1);
  const stack = (out: Uint8Array, at: number, older: Uint8Array, newer: Uint8Array) => {
    for (let k = 0; k < 4; k++) out.set([older[k], newer[k]], at + 2 * k);
  };
  for (let n = 0; n < N; n++) {
    const middle = 3 + stream.integer(10);
    let frame = bytes(4);
    let before = frame;
    for (let t = 0; t < T; t++) {
      const i = n * T + t;
      stack(observations, i * 8, before, frame);
      before = frame;
      frame = bytes(4);
      if (t !== middle && t !== T - 1) continue;
      flags[t === middle ? 'terminated' : 'truncated'][i] = 1;
      finalSlots[i] = 2 * n + (t === middle ? 0 : 1);
      stack(finalObservations, finalSlots[i] * 8, before, frame);
      frame = bytes(4);
      before = frame;
    }
  }
  return {
    numRows: N,
    rolloutLength: T,
    observations,
    actions: Float32Array.from({ length: N * T * 2 }, () => stream.uniform()),
    rewards: Float32Array.from({ length: N * T }, () => stream.normal()),
    ...flags,
    actionMasks: bytes(N * T * 2),
    bootstrapObservations: new Uint8Array(N * 8),
    bootstrapMasks: bytes(N * 2),
    finalSlots,
    finalObservations,
  };
}
