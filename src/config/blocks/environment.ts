/** Which environment, and how the threads that step it are laid out. */
import type { AnyEnvFactory } from '../../env/async-env.ts';
import { curriculum } from '../curriculum.ts';
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';
import { clusterOptions } from './cluster.ts';

/** Marks options whose value cannot change the parameters of a run. */
const NEUTRAL = { affectsLearning: false } as const;

export const environmentOptions = {
  env: option(
    kind.textOrFunction<AnyEnvFactory>(
      "an environment id, a path such as './my-env.ts' or './my-env.ts#name', or a factory function",
      '<id|path>',
    ),
    {
      default: '',
      shapesCheckpoint: true,
      doc: 'Environment id, module path (./my-env.ts or ./my-env.ts#name), or, in code with numEnvRunners 0, a factory function.',
      namesModule: true,
    },
  ),
  envOptions: option(kind.jsonObject(), {
    default: {},
    shapesCheckpoint: true,
    doc: "Options handed to the environment's factory.",
    alsoCalled: ['envConfig', 'env_config'],
  }),
  python: option(kind.nullable(kind.text('a path to Python, or its name in PATH', '<path>')), {
    default: null,
    doc: "Python that runs environments such as gymnasium:LunarLander-v3; null = OPERANT_PYTHON, Operant's own (operant python), python3.",
    namesProgram: true,
    ...NEUTRAL,
  }),
  maxEpisodeSteps: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    unit: 'steps',
    doc: "Steps after which an episode is truncated; null = the environment's own limit.",
    alsoCalled: ['timeLimit', 'horizon'],
  }),
  curriculum: option(kind.nullable(curriculum()), {
    default: null,
    doc: 'Options laid over envOptions, in stages by steps or a metric, or by a module: each change waits for an episode to begin.',
    namesModule: 'in-training',
    alsoCalled: ['env_task_fn', 'envTaskFn'],
  }),
  wrappers: option(kind.jsonList(), {
    default: [],
    shapesCheckpoint: true,
    doc: "Wrappers around the environment, innermost first: [{ name: 'rescaleAction', low: -1, high: 1 }]. Not for several agents.",
  }),
  previousInputs: option(kind.nullable(kind.choice(['action', 'reward', 'both'])), {
    default: null,
    shapesCheckpoint: true,
    doc: 'Puts the last action, the last reward or both behind each observation, 0 at first: for partly observed worlds, with `recurrent`.',
    alsoCalled: ['use_prev_action', 'use_prev_reward', 'lstm_use_prev_action', 'lstm_use_prev_reward'],
  }),
};

/** For every algorithm that acts in environments; how many steps an iteration takes is the algorithm's own. */
export const envRunnersOptions = {
  numEnvRunners: option(kind.orAuto(kind.integer({ min: 0, max: 256 })), {
    default: 'auto',
    unit: 'threads',
    doc: 'Rollout worker threads; never changes results. auto = min(cores, 4, numEnvs); 0 = in the main thread.',
    alsoCalled: ['numWorkers', 'num_env_runners', 'num_workers'],
    ...NEUTRAL,
  }),
  numEnvs: option(kind.integer({ min: 1, max: 65536 }), {
    default: 8,
    shapesCheckpoint: true,
    doc: 'Environments in all, over all rollout workers.',
    alsoCalled: ['n_envs', 'num_envs'],
    replaces: ['numEnvsPerEnvRunner'],
  }),
  numEnvsPerEnvRunner: option(kind.nullable(kind.integer({ min: 1, max: 65536 })), {
    default: null,
    doc: 'Another way to say numEnvs: numEnvRunners * numEnvsPerEnvRunner. Needs a fixed numEnvRunners.',
    alsoCalled: ['num_envs_per_env_runner', 'num_envs_per_worker'],
    replaces: ['numEnvs'],
    ...NEUTRAL,
  }),
  inference: option(kind.choice(['auto', 'worker', 'central']), {
    default: 'auto',
    doc: 'Where actions are computed: in the rollout workers, or centrally by the learner (networks that only TensorFlow covers).',
  }),
  normalizeObservations: option(kind.boolean(), {
    default: false,
    shapesCheckpoint: true,
    doc: 'Normalise observations by their running mean and variance.',
    alsoCalled: ['observation_filter', 'normalize_obs', 'normObs'],
  }),
  clipObservation: option(kind.number({ above: 0 }), {
    default: 10,
    unit: 'standard deviations',
    shapesCheckpoint: true,
    doc: 'Bound of a normalised observation, +-. Needs normalizeObservations.',
    needs: { option: 'normalizeObservations', values: [true] },
    alsoCalled: ['clip_obs'],
  }),
  ...clusterOptions,
  workerMemoryMb: option(kind.nullable(kind.integer({ min: 16 })), {
    default: null,
    unit: 'MiB',
    doc: "Heap limit of one rollout worker thread; null = Node's own.",
    ...NEUTRAL,
  }),
};
