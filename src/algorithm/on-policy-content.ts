/** A run's whole state as a checkpoint's files, and back. */

import type { CheckpointContent, NamedTensor } from '../checkpoint/content.ts';
import { jsonDifferences } from '../checkpoint/exact-json.ts';
import { spaceToJson } from '../env/space-json.ts';
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { EpisodeWindow } from '../metrics/episode-window.ts';
import type { OnPolicyConfig, OnPolicySystem } from './on-policy-system.ts';
import { parametersToTensors, tensorsToParameters } from './parameter-content.ts';
import { rowStatesFromContent, rowStatesToContent } from './row-state-content.ts';

export interface Counters {
  iteration: number;
  numEnvSteps: number;
  numEpisodes: number;
}

/** What an algorithm adds to the state. */
export interface OwnState {
  getState(): JsonObject;
  setState(state: JsonObject): void;
}

export interface StateParts {
  readonly name: string;
  readonly config: OnPolicyConfig;
  readonly configJson: JsonObject;
  readonly system: OnPolicySystem;
  readonly counters: Counters;
  readonly episodes: EpisodeWindow;
  readonly own: OwnState;
}

const WEIGHTS = 'policies/default/weights.safetensors';
const OPTIMIZER = 'policies/default/optimizer.safetensors';
const POLICY = 'policies/default/policy.json';
const ENVIRONMENTS = 'environments.safetensors';

/**
 * Weights, optimizer, observation statistics, counters, streams, episode window and every environment in mid-episode.
 * `policies/default/` alone is enough to act (`loadPolicy`).
 */
export async function createContent(parts: StateParts): Promise<CheckpointContent> {
  const { system, counters, episodes } = parts;
  const { learner, spec, scaling, runners } = system;
  const { layout } = learner;
  const { step, m, v } = learner.readOptimizerState();
  const rows = rowStatesToContent(await runners.getStates(), spec);
  return {
    description: {
      algorithm: parts.name,
      environment: system.source.id,
      ...counters,
      engine: learner.engine,
      backend: learner.backend,
    },
    tensors: {
      [WEIGHTS]: { ...parametersToTensors(learner.readParameters(), layout), ...statisticsTensors(system) },
      [OPTIMIZER]: { ...parametersToTensors(m, layout, 'm/'), ...parametersToTensors(v, layout, 'v/') },
      [ENVIRONMENTS]: rows.tensors,
    },
    json: {
      'config.json': parts.configJson,
      [POLICY]: {
        spec: spec as unknown as JsonObject,
        observationSpace: spaceToJson(system.observationSpace),
        actionSpace: spaceToJson(system.actionSpace),
        parameters: layout.entries as unknown as JsonValue,
      },
      'state.json': {
        ...counters,
        seed: parts.config.debugging.seed,
        optimizerStep: step,
        observationMoments: scaling.getState() as unknown as JsonValue,
        episodes: episodes.getState(),
        algorithm: parts.own.getState(),
      },
      'environments.json': rows.json,
    },
  };
}

/** mean and inverseStd f32 [obsSize], under which the weights act; nothing without normalisation. */
function statisticsTensors({ scaling, spec }: OnPolicySystem): Record<string, NamedTensor> {
  const { statistics } = scaling;
  if (statistics === null) return {};
  const tensor = (data: Float32Array): NamedTensor => ({
    dtype: 'float32',
    shape: [spec.observationSize],
    data: data.slice(),
  });
  return {
    'observation/mean': tensor(statistics.mean),
    'observation/inverseStd': tensor(statistics.inverseStd),
  };
}

/**
 * Continues from a checkpoint. Everything is checked and read before anything changes.
 *
 * @throws {@link CheckpointError} `CHECKPOINT_MISMATCH` naming each field in which algorithm, environment or network
 * differ, `CHECKPOINT_NETWORK`, `CHECKPOINT_ENVIRONMENTS`.
 */
export async function applyContent(parts: StateParts, content: CheckpointContent): Promise<void> {
  const { system, counters, episodes, config } = parts;
  const { learner, spec, scaling, runners } = system;
  checkFits(parts, content);
  const { layout } = learner;
  const parameters = tensorsToParameters(content.tensors[WEIGHTS], layout);
  const m = tensorsToParameters(content.tensors[OPTIMIZER], layout, 'm/');
  const v = tensorsToParameters(content.tensors[OPTIMIZER], layout, 'v/');
  const rows = { tensors: content.tensors[ENVIRONMENTS], json: content.json['environments.json'] };
  const states = rowStatesFromContent(rows, spec, config.envRunners.numEnvs);
  const state = content.json['state.json'];
  learner.writeParameters(parameters);
  learner.writeOptimizerState({ step: state.optimizerStep as number, m, v });
  scaling.setState(state.observationMoments as never);
  episodes.setState(state.episodes as JsonObject);
  parts.own.setState(state.algorithm as JsonObject);
  counters.iteration = state.iteration as number;
  counters.numEnvSteps = state.numEnvSteps as number;
  counters.numEpisodes = state.numEpisodes as number;
  await runners.start(states);
}

function checkFits(
  { name, system, config }: StateParts,
  { description, json, tensors }: CheckpointContent,
): void {
  const isComplete = [WEIGHTS, OPTIMIZER, ENVIRONMENTS].every((file) => tensors[file] !== undefined);
  if (!isComplete || json['state.json'] === undefined || json['environments.json'] === undefined) {
    throw new CheckpointError(
      'CHECKPOINT_INCOMPLETE',
      'This checkpoint does not hold a whole run (only a policy?). Resume from a checkpoint that `train` wrote.',
    );
  }
  const here = {
    algorithm: name,
    environment: system.source.id,
    seed: config.debugging.seed,
    policy: JSON.parse(JSON.stringify(system.spec)) as JsonValue,
  };
  const there = {
    algorithm: description.algorithm ?? null,
    environment: description.environment ?? null,
    seed: json['state.json'].seed ?? null,
    policy: json[POLICY]?.spec ?? null,
  };
  const differences = jsonDifferences(there, here);
  if (differences.length === 0) return;
  const list = differences.map(
    ({ path, first, second }) => `${path}: ${first} in the checkpoint, ${second} here`,
  );
  throw new CheckpointError(
    'CHECKPOINT_MISMATCH',
    `The checkpoint does not fit this run:\n  ${list.join('\n  ')}\nResume without changing these options, or start a new run.`,
  );
}
