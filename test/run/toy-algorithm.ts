/**
 * A small algorithm that really learns: a (1+1) evolution strategy that looks for the maximum of -|x - target|^2.
 * An "episode" is one trial of a mutated x; everything it knows is in its state.
 */
import type { Algorithm, TrainResult } from '../../src/algorithm/algorithm.ts';
import type { CheckpointContent } from '../../src/checkpoint/content.ts';
import { saveCheckpoint } from '../../src/checkpoint/save-checkpoint.ts';
import { ConfigError } from '../../src/errors.ts';
import type { JsonObject } from '../../src/json.ts';
import { createEpisodeWindow } from '../../src/metrics/episode-window.ts';
import { openStream, type StreamState } from '../../src/random/streams.ts';
import type { EpisodeSummary } from '../../src/rollout/episode-summary.ts';

const TARGET = [1, -2, 3, -4];
const EPISODES_PER_ITERATION = 4;
const STEPS_PER_EPISODE = 10;

export interface ToyOptions {
  readonly seed?: number;
  readonly metricsWindow?: number;
  /** Evaluate after every this many iterations. */
  readonly evaluationInterval?: number;
  /** Throws in this iteration, half way through its episodes. */
  readonly failAt?: number;
  /** Reports a dead worker in this iteration. */
  readonly workerFailureAt?: number;
  /** Wall time of an iteration. */
  readonly iterationMs?: number;
  /** Called at the start of every iteration. */
  readonly onTrain?: (iteration: number) => void;
  /** Floats in an iteration's checkpoint besides what is learned. */
  readonly ballast?: (iteration: number) => number;
}

export function createToyAlgorithm(
  options: ToyOptions = {},
): Algorithm & { readonly position: readonly number[] } {
  const { seed = 0, metricsWindow = 10 } = options;
  const stream = openStream(seed, 'toy');
  const window = createEpisodeWindow(metricsWindow);
  let position = new Float64Array(TARGET.length); // [4] f64
  let stepSize = 1;
  let iteration = 0;
  let numEpisodes = 0;
  let isHalfWay = false;
  const scoreOf = (x: Float64Array) => -x.reduce((sum, value, k) => sum + (value - TARGET[k]) ** 2, 0);

  const playEpisode = (): EpisodeSummary => {
    const mutated = position.map((value) => value + stepSize * stream.normal());
    const episodeReturn = scoreOf(mutated);
    if (episodeReturn > scoreOf(position)) position = mutated;
    else stepSize *= 0.98;
    window.add(episodeReturn, STEPS_PER_EPISODE);
    numEpisodes += 1;
    return { envIndex: numEpisodes % 2, episodeReturn, episodeLength: STEPS_PER_EPISODE };
  };

  const getState = async (): Promise<CheckpointContent> => {
    if (isHalfWay) throw new Error('the toy is half way through an iteration');
    const data = position.slice();
    const ballast = options.ballast?.(iteration) ?? 0;
    return {
      description: { algorithm: 'toy', iteration, numEnvSteps: numEpisodes * STEPS_PER_EPISODE },
      tensors: {
        'policies/default/weights.safetensors': {
          position: { dtype: 'float64', shape: [data.length], data },
          ballast: { dtype: 'float32', shape: [ballast], data: new Float32Array(ballast).fill(iteration) },
        },
      },
      json: {
        'state.json': {
          iteration,
          numEpisodes,
          stepSize,
          stream: { ...stream.getState() },
          window: window.getState(),
        },
        'config.json': { seed, metricsWindow },
      },
    };
  };

  return {
    name: 'toy',
    config: { seed, metricsWindow },
    banner: ['toy on a parabola', 'no engine'],
    get iteration() {
      return iteration;
    },
    get numEnvSteps() {
      return numEpisodes * STEPS_PER_EPISODE;
    },
    get position() {
      return [...position];
    },
    async train(): Promise<TrainResult> {
      options.onTrain?.(iteration + 1);
      if (options.iterationMs !== undefined)
        await new Promise((resolve) => setTimeout(resolve, options.iterationMs));
      isHalfWay = true;
      const episodes: EpisodeSummary[] = [];
      for (let k = 0; k < EPISODES_PER_ITERATION; k++) {
        if (options.failAt === iteration + 1 && k === 2) throw new Error('the toy broke');
        episodes.push(playEpisode());
      }
      isHalfWay = false;
      iteration += 1;
      const score = scoreOf(position);
      const evaluates =
        options.evaluationInterval !== undefined && iteration % options.evaluationInterval === 0;
      return {
        iteration,
        numEnvSteps: numEpisodes * STEPS_PER_EPISODE,
        numEpisodes,
        episodeReturnMean: window.returnMean(),
        metrics: {
          ...window.metrics(),
          'train/learningRate': stepSize,
          ...(evaluates ? { 'evaluation/episodeReturnMean': score } : {}),
        },
        episodes,
        ...(evaluates
          ? {
              evaluation: {
                returns: [score],
                lengths: [10],
                returnMean: score,
                returnStd: 0,
                returnInterval: null,
                lengthMean: 10,
                numEpisodesCut: 0,
                metrics: {},
              },
            }
          : {}),
        ...(options.workerFailureAt === iteration
          ? {
              workerFailures: [{ workerIndex: 1, error: new Error('gone'), isRecovered: true, seconds: 0.1 }],
            }
          : {}),
      };
    },
    async evaluate() {
      const score = scoreOf(position);
      return {
        returns: [score],
        lengths: [10],
        returnMean: score,
        returnStd: 0,
        returnInterval: null,
        lengthMean: 10,
        numEpisodesCut: 0,
        metrics: {},
      };
    },
    setSchedule(name, schedule) {
      if (name !== 'learningRate' || typeof schedule !== 'number')
        throw new ConfigError('CONFIG_SCHEDULE', 'no such schedule');
      stepSize = schedule;
    },
    getState,
    async setState(content) {
      const state = content.json['state.json'];
      position = Float64Array.from(content.tensors['policies/default/weights.safetensors'].position.data);
      iteration = state.iteration as number;
      numEpisodes = state.numEpisodes as number;
      stepSize = state.stepSize as number;
      stream.setState(state.stream as unknown as StreamState);
      window.setState(state.window as JsonObject);
    },
    save: async (directory) => saveCheckpoint(directory, await getState()),
    async stop() {},
  };
}
