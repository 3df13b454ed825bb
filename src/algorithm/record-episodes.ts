/** Plays episodes and keeps all that happened in them: what fills a replay buffer before learning, and what offline learning reads. */

import { createActionMapping } from '../acting/action-mapping.ts';
import type { BatchActor } from '../acting/batch-actor.ts';
import { createActionNoise } from '../acting/noise.ts';
import type { EnvFaultHandling } from '../env/env-faults.ts';
import type { EnvSource } from '../env/env-source.ts';
import { makeVectorEnv } from '../env/load-env.ts';
import type { ActionArray, ObservationArray, StepRows } from '../env/vector-env.ts';
import { createGrowingRows } from '../memory/growing-rows.ts';
import { createRandomActions } from '../policy/distributions/random-action.ts';
import { type ActingSpec, actionDtype, actionSize, noiseSize } from '../policy/policy-spec.ts';
import { forEachRow } from '../policy/sample-rows.ts';
import { episodeSeed } from '../random/streams.ts';
import type { RecordedEpisode } from '../replay/recorded-episodes.ts';
import { NO_EXPLORATION } from '../weights/exploration.ts';

/** Acts for one environment. The arrays are the caller's between calls. */
export interface Player {
  readonly observations: ObservationArray; // [obsSize]
  readonly masks: Uint8Array | null; // [maskSize] u8
  /** As the environment gets them. */
  readonly actions: ActionArray; // [A]
  begin(seedOfEpisode: number): void;
  act(): Promise<void>;
}

/** Plays by a policy, sampling its actions. */
export function createPolicyPlayer(spec: ActingSpec, actor: BatchActor): Player {
  const noise = createActionNoise(spec, 1, actor.noise);
  const mapAction = createActionMapping(spec);
  const actions = actor.actions.slice();
  return {
    observations: actor.observations,
    masks: actor.masks,
    actions,
    begin(seed) {
      noise.begin(0, seed);
      actor.forget(0);
    },
    async act() {
      noise.fill(0);
      await actor.act(1, false);
      mapAction(actor.actions, 0, actions, 0);
    },
  };
}

/** Plays uniformly random actions; `spec` says which there are. */
export function createRandomPlayer(spec: ActingSpec): Player {
  const { distribution } = spec;
  const sample = createRandomActions(distribution, noiseSize(spec));
  if (sample === null) throw new TypeError(`Actions of ${distribution.kind} have no bounds to be random in.`);
  const numbers = new Float32Array(noiseSize(spec));
  const noise = createActionNoise(spec, 1, numbers);
  const mapAction = createActionMapping(spec);
  const A = actionSize(distribution);
  const stored = actionDtype(distribution) === 'int32' ? new Int32Array(A) : new Float32Array(A);
  const isBytes = spec.observationDtype === 'uint8';
  const masks = spec.actionMaskSize > 0 ? new Uint8Array(spec.actionMaskSize) : null;
  const none = new Float32Array(0);
  const row = { numRows: 1, distributionParameters: none, latent: null, logStd: null, masks };
  const call = { ...row, noise: numbers, deterministic: false, actions: stored };
  const actions = stored.slice();
  return {
    observations: isBytes ? new Uint8Array(spec.observationSize) : new Float32Array(spec.observationSize),
    masks,
    actions,
    begin: (seed) => noise.begin(0, seed),
    async act() {
      noise.fill(0);
      forEachRow(spec, call, NO_EXPLORATION, sample);
      mapAction(stored, 0, actions, 0);
    },
  };
}

export interface RecordOptions {
  readonly source: EnvSource;
  readonly player: Player;
  /** Steps in all; the last episode is cut there. */
  readonly numSteps: number;
  readonly seed: number;
  /** Episode k is seeded by hash(seed, envIndex, k): give an index that no other environment of the run has. */
  readonly envIndex: number;
  readonly handling?: EnvFaultHandling;
}

/** Thread: the caller's. Cost: a step of the environment and of the policy each. @throws EnvError as the environment does. */
export async function recordEpisodes(options: RecordOptions): Promise<RecordedEpisode[]> {
  const { source, player, numSteps, seed, envIndex } = options;
  const env = await makeVectorEnv(source, 1, 'same-step', options.handling);
  try {
    const rows = openRows(player);
    const episodes: RecordedEpisode[] = [];
    const nextSeed = new Uint32Array(1);
    nextSeed[0] = episodeSeed(seed, envIndex, 0);
    await env.deferred?.reset(0, nextSeed[0]);
    env.reset(nextSeed, rows);
    player.begin(nextSeed[0]);
    nextSeed[0] = episodeSeed(seed, envIndex, 1);
    let tape = openTape(player);
    for (let step = 1; step <= numSteps; step++) {
      tape.addState(player.observations);
      await player.act();
      await env.deferred?.step(0, player.actions, nextSeed[0]);
      env.step(player.actions, nextSeed, rows);
      const isOver = rows.terminated[0] !== 0 || rows.truncated[0] !== 0;
      tape.addStep(rows.rewards[0]);
      if (!isOver && step < numSteps) continue;
      episodes.push(
        tape.close(isOver ? rows.finalObservations : player.observations, isOver, rows.terminated[0] !== 0),
      );
      tape = openTape(player);
      player.begin(nextSeed[0]);
      nextSeed[0] = episodeSeed(seed, envIndex, episodes.length + 1);
    }
    return episodes;
  } finally {
    env.close?.();
  }
}

/** One episode while it is played. */
function openTape({ observations, masks, actions }: Player) {
  const states = createGrowingRows<Float32Array | Uint8Array>((length) =>
    observations instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length),
  );
  const taken = createGrowingRows<ActionArray>((length) =>
    actions instanceof Int32Array ? new Int32Array(length) : new Float32Array(length),
  );
  const rewards = createGrowingRows((length) => new Float32Array(length));
  const maskBits = createGrowingRows((length) => new Uint8Array(length));
  const everything = masks === null ? null : new Uint8Array(masks.length).fill(1); // [maskSize] u8
  return {
    addState(seen: ObservationArray): void {
      states.add(seen);
      if (masks !== null) maskBits.add(masks);
    },
    /** After the environment's step, which does not change the actions. */
    addStep(reward: number): void {
      taken.add(actions);
      rewards.add([reward]);
    },
    /** Nobody says what would be allowed after an end: everything counts as allowed. */
    close(last: ObservationArray, isOver: boolean, terminated: boolean): RecordedEpisode {
      states.add(last);
      if (masks !== null && everything !== null) maskBits.add(isOver ? everything : masks);
      return {
        observations: states.copy(),
        actions: taken.copy(),
        rewards: rewards.copy(),
        terminated,
        ...(masks !== null && { masks: maskBits.copy() }),
      };
    },
  };
}

function openRows({ observations, masks }: Player): StepRows {
  return {
    observations,
    observationOffset: 0,
    observationStride: observations.length,
    rewards: new Float32Array(1),
    terminated: new Uint8Array(1),
    truncated: new Uint8Array(1),
    scalarOffset: 0,
    scalarStride: 1,
    actionMasks: masks,
    maskOffset: 0,
    maskStride: masks?.length ?? 0,
    finalObservations: observations.slice(),
    onMetric: null,
  };
}
