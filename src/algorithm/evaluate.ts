/** Evaluation: whole episodes with a frozen policy, in environments and with seeds of their own. */
import type { ActionArray, StepRows, VectorEnv } from '../env/vector-env.ts';
import type { BatchActor } from '../policy/batch-actor.ts';
import { actionDtype, actionSize, type PolicySpec } from '../policy/policy-spec.ts';
import { episodeSeed } from '../random/streams.ts';
import { createActionMapping } from '../rollout/action-mapping.ts';
import { addMetric, type MetricSums, meansOf } from '../rollout/metric-sums.ts';
import { createActionNoise } from '../rollout/noise.ts';
import type { EvaluationResult } from './algorithm.ts';

export interface EvaluationOptions {
  readonly vectorEnv: VectorEnv;
  readonly actor: BatchActor;
  readonly spec: PolicySpec;
  readonly numEpisodes: number;
  readonly deterministic: boolean;
  /** Episode k is seeded by hash(seed, k, 0), whatever the number of environments. */
  readonly seed: number;
  /** Called after every vector step, for rendering. */
  readonly onStep?: (vectorEnv: VectorEnv, numFinished: number) => void;
}

/**
 * Plays episodes 0 .. numEpisodes - 1: environment r plays r, r + M, r + 2M, ... of them, so every episode is counted,
 * long ones included, and each one's return depends on its seed alone.
 *
 * Cost: numEpisodes * length / M calls of the policy. Thread: the caller's.
 */
export async function evaluatePolicy(options: EvaluationOptions): Promise<EvaluationResult> {
  const { vectorEnv, actor, spec, numEpisodes, deterministic, seed } = options;
  const M = vectorEnv.numRows;
  const A = actionSize(spec.distribution);
  const sums: MetricSums = {};
  const rows = evaluationRows(actor, spec, M, sums);
  const noise = createActionNoise(spec, M, actor.noise);
  const mapAction = createActionMapping(spec);
  const envActions: ActionArray = // [M, A]
    actionDtype(spec.distribution) === 'int32' ? new Int32Array(M * A) : new Float32Array(M * A);
  const seedOf = (k: number) => episodeSeed(seed, k, 0);
  const episodeOf = Int32Array.from({ length: M }, (_, r) => r); // the episode that row r plays
  const nextSeeds = Uint32Array.from(episodeOf, (k) => seedOf(k + M));
  const runningReturns = new Float64Array(M);
  const runningLengths = new Int32Array(M);
  const returns = new Float64Array(numEpisodes);
  const lengths = new Int32Array(numEpisodes);
  let numFinished = 0;

  vectorEnv.reset(Uint32Array.from(episodeOf, seedOf), rows);
  for (let r = 0; r < M; r++) noise.begin(r, seedOf(r));
  while (numFinished < numEpisodes) {
    if (!deterministic) for (let r = 0; r < M; r++) noise.fill(r);
    await actor.act(M, deterministic);
    for (let r = 0; r < M; r++) mapAction(actor.actions, r * A, envActions, r * A);
    vectorEnv.step(envActions, nextSeeds, rows);
    for (let r = 0; r < M; r++) {
      runningReturns[r] += rows.rewards[r];
      runningLengths[r] += 1;
      if (rows.terminated[r] === 0 && rows.truncated[r] === 0) continue;
      const k = episodeOf[r];
      if (k < numEpisodes) {
        returns[k] = runningReturns[r];
        lengths[k] = runningLengths[r];
        numFinished += 1;
      }
      runningReturns[r] = 0;
      runningLengths[r] = 0;
      episodeOf[r] = k + M;
      noise.begin(r, nextSeeds[r]);
      nextSeeds[r] = seedOf(k + 2 * M);
    }
    options.onStep?.(vectorEnv, numFinished);
  }
  return summarize(returns, lengths, sums);
}

/** The environments write where the actor reads. */
function evaluationRows(actor: BatchActor, spec: PolicySpec, M: number, sums: MetricSums): StepRows {
  const finalLength = M * spec.observationSize;
  return {
    observations: actor.observations,
    observationOffset: 0,
    observationStride: spec.observationSize,
    rewards: new Float32Array(M),
    terminated: new Uint8Array(M),
    truncated: new Uint8Array(M),
    scalarOffset: 0,
    scalarStride: 1,
    actionMasks: actor.masks,
    maskOffset: 0,
    maskStride: spec.actionMaskSize,
    finalObservations:
      spec.observationDtype === 'uint8' ? new Uint8Array(finalLength) : new Float32Array(finalLength),
    onMetric: (_r, name, value) => addMetric(sums, name, value),
  };
}

function summarize(returns: Float64Array, lengths: Int32Array, sums: MetricSums): EvaluationResult {
  const count = returns.length;
  const returnMean = returns.reduce((sum, value) => sum + value, 0) / count;
  const variance = returns.reduce((sum, value) => sum + (value - returnMean) ** 2, 0) / count;
  const metrics = Object.entries(meansOf(sums)).map(([name, mean]) => [`env/${name}`, mean] as const);
  return {
    returns: [...returns],
    lengths: [...lengths],
    returnMean,
    returnStd: Math.sqrt(variance),
    lengthMean: lengths.reduce((sum, length) => sum + length, 0) / count,
    metrics: Object.fromEntries(metrics),
  };
}
