/** The options every algorithm has. An algorithm adds its `training` section. */
import type { EnvFactory } from '../env/env.ts';
import { faultToleranceOptions } from './fault-options.ts';
import { option } from './option.ts';
import * as kind from './value-kind.ts';

/** Marks options whose value cannot change the parameters of a run. */
const NEUTRAL = { affectsLearning: false } as const;

export const environmentOptions = {
  env: option(
    kind.textOrFunction<EnvFactory>(
      "an environment id, a path such as './my-env.ts' or './my-env.ts#name', or a factory function",
      '<id|path>',
    ),
    {
      default: '',
      doc: 'Environment id, module path (./my-env.ts or ./my-env.ts#name), or, in code with numEnvRunners 0, a factory function.',
    },
  ),
  envOptions: option(kind.jsonObject(), {
    default: {},
    doc: "Options handed to the environment's factory.",
    alsoCalled: ['envConfig', 'env_config'],
  }),
  maxEpisodeSteps: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    unit: 'steps',
    doc: "Steps after which an episode is truncated; null = the environment's own limit.",
    alsoCalled: ['timeLimit', 'horizon'],
  }),
};

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
  rolloutLength: option(kind.integer({ min: 1, max: 1048576 }), {
    default: 128,
    unit: 'steps',
    doc: 'Steps that each environment takes per iteration.',
    alsoCalled: ['nSteps', 'n_steps', 'numSteps', 'rollout_fragment_length', 'rolloutFragmentLength'],
  }),
  inference: option(kind.choice(['auto', 'worker', 'central']), {
    default: 'auto',
    doc: 'Where actions are computed: in the rollout workers, or centrally by the learner (networks that only TensorFlow covers).',
  }),
  normalizeObservations: option(kind.boolean(), {
    default: false,
    doc: 'Normalise observations by their running mean and variance.',
    alsoCalled: ['observation_filter', 'normalize_obs', 'normObs'],
  }),
  clipObservation: option(kind.number({ above: 0 }), {
    default: 10,
    unit: 'standard deviations',
    doc: 'Bound of a normalised observation, +-. Needs normalizeObservations.',
    needs: { option: 'normalizeObservations', values: [true] },
    alsoCalled: ['clip_obs'],
  }),
  normalizeRewards: option(kind.boolean(), {
    default: false,
    doc: 'Divide rewards by the running standard deviation of the discounted return.',
    alsoCalled: ['normalize_reward', 'normReward'],
  }),
  clipReward: option(kind.nullable(kind.number({ above: 0 })), {
    default: 10,
    doc: 'Bound of a reward after that division, +-; null = none. Needs normalizeRewards.',
    needs: { option: 'normalizeRewards', values: [true] },
    alsoCalled: ['clip_rewards', 'clipRewards'],
  }),
  workerMemoryMb: option(kind.nullable(kind.integer({ min: 16 })), {
    default: null,
    unit: 'MiB',
    doc: "Heap limit of one rollout worker thread; null = Node's own.",
    ...NEUTRAL,
  }),
};

export const learnersOptions = {
  engine: option(kind.choice(['auto', 'simd', 'tensorflow']), {
    default: 'auto',
    doc: 'What learns: WebAssembly SIMD kernels or TensorFlow. `operant doctor` tells what auto picks and why.',
    alsoCalled: ['framework', 'device'],
  }),
  backend: option(kind.choice(['auto', 'node-gpu', 'webgpu', 'wasm', 'cpu']), {
    default: 'auto',
    doc: 'Backend of the TensorFlow engine; setting it chooses that engine.',
    needs: { option: 'engine', values: ['auto', 'tensorflow'] },
  }),
  numLearnerThreads: option(kind.orAuto(kind.integer({ min: 1, max: 256 })), {
    default: 'auto',
    unit: 'threads',
    doc: 'Threads of the simd engine: the main one and helpers among the rollout workers; never changes results.',
    needs: { option: 'engine', values: ['auto', 'simd'] },
    alsoCalled: ['num_learners', 'numLearners'],
    ...NEUTRAL,
  }),
  nativeKernels: option(kind.boolean(), {
    default: true,
    doc: "The simd engine's kernels as machine code for AVX2 or AVX-512 where that was built: the same bits, sooner.",
    needs: { option: 'engine', values: ['auto', 'simd'] },
    ...NEUTRAL,
  }),
  captureGraph: option(kind.boolean(), {
    default: true,
    doc: 'TensorFlow on node-gpu: run a whole update as one captured graph.',
    needs: { option: 'engine', values: ['auto', 'tensorflow'] },
    alsoCalled: ['torch_compile_learner'],
  }),
};

export const evaluationOptions = {
  evaluationInterval: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    unit: 'iterations',
    doc: 'Evaluate after every this many iterations; null = never.',
    ...NEUTRAL,
  }),
  evaluationEpisodes: option(kind.integer({ min: 1 }), {
    default: 10,
    unit: 'episodes',
    doc: 'Episodes of one evaluation.',
    alsoCalled: ['evaluation_duration', 'evaluationDuration', 'n_eval_episodes'],
    ...NEUTRAL,
  }),
  evaluationDeterministic: option(kind.boolean(), {
    default: true,
    doc: 'Take the most likely action instead of sampling.',
    alsoCalled: ['explore'],
    ...NEUTRAL,
  }),
  evaluationSeed: option(kind.integer({ min: 0, max: 4294967295 }), {
    default: 10_000,
    doc: "Master seed of evaluation episodes; training's streams are never touched.",
    ...NEUTRAL,
  }),
  evaluationNumEnvs: option(kind.integer({ min: 1, max: 65536 }), {
    default: 10,
    doc: 'Environments that an evaluation steps side by side, at most one per episode.',
    alsoCalled: ['evaluation_num_env_runners'],
    ...NEUTRAL,
  }),
};

export const checkpointingOptions = {
  checkpointEvery: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    unit: 'iterations',
    doc: 'Write a checkpoint after every this many iterations; null = go by checkpointSeconds alone.',
    alsoCalled: ['checkpoint_freq', 'checkpointFrequency', 'saveEvery'],
    ...NEUTRAL,
  }),
  checkpointSeconds: option(kind.nullable(kind.number({ above: 0 })), {
    default: 30,
    unit: 's',
    doc: 'Write a checkpoint after the first iteration that ends this long after the last one; null = never.',
    ...NEUTRAL,
  }),
  keepCheckpoints: option(kind.integer({ min: 1 }), {
    default: 3,
    doc: 'How many of the latest checkpoints stay on disk; the best one stays besides.',
    alsoCalled: ['num_to_keep', 'numToKeep'],
    ...NEUTRAL,
  }),
  out: option(kind.nullable(kind.text('a folder path', '<folder>')), {
    default: null,
    doc: 'Run folder; null = runs/<env>-<algo>-<time>.',
    alsoCalled: ['logdir', 'storage_path', 'outputDir'],
    ...NEUTRAL,
  }),
};

export const reportingOptions = {
  metricsWindow: option(kind.integer({ min: 1 }), {
    default: 100,
    unit: 'episodes',
    doc: 'Episodes over which returns and lengths are averaged.',
    alsoCalled: ['metrics_num_episodes_for_smoothing', 'stats_window_size'],
    ...NEUTRAL,
  }),
  tensorboard: option(kind.boolean(), {
    default: true,
    doc: 'Write TensorBoard events to the run folder.',
    alsoCalled: ['tensorboard_log'],
    ...NEUTRAL,
  }),
  csv: option(kind.boolean(), { default: true, doc: 'Write progress.csv to the run folder.', ...NEUTRAL }),
  jsonl: option(kind.boolean(), {
    default: true,
    doc: 'Write progress.jsonl to the run folder.',
    ...NEUTRAL,
  }),
};

export const debuggingOptions = {
  seed: option(kind.integer({ min: 0, max: 4294967295 }), {
    default: 0,
    doc: 'Master seed: the same seed and config give the same run.',
  }),
  deterministic: option(kind.boolean(), {
    default: false,
    doc: 'No relaxed SIMD: the same bits on every kind of machine. TensorFlow: one thread an operation. Slower.',
  }),
  poison: option(kind.boolean(), {
    default: false,
    doc: 'Fill rollout buffers with values that look wrong before they are written.',
    ...NEUTRAL,
  }),
  verbose: option(kind.boolean(), {
    default: false,
    doc: 'Show stack traces and what rollout workers do.',
    alsoCalled: ['log_level', 'logLevel'],
    ...NEUTRAL,
  }),
};

/** These end a run and never feed learning: a run that is stopped early is a prefix of the longer one. */
export const stoppingOptions = {
  stopReturn: option(kind.nullable(kind.number()), {
    default: null,
    doc: 'Stop when the mean return over a full metricsWindow of episodes reaches this.',
    ...NEUTRAL,
  }),
  stopSteps: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    unit: 'environment steps',
    doc: 'Stop after the iteration that reaches this many environment steps.',
    alsoCalled: ['totalTimesteps', 'total_timesteps', 'timesteps_total'],
    ...NEUTRAL,
  }),
  stopSeconds: option(kind.nullable(kind.number({ above: 0 })), {
    default: null,
    unit: 's',
    doc: 'Stop after the iteration that ends this long after the start.',
    alsoCalled: ['time_total_s'],
    ...NEUTRAL,
  }),
  stopIterations: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    unit: 'iterations',
    doc: 'Stop after this many iterations of the whole run.',
    alsoCalled: ['training_iteration'],
    ...NEUTRAL,
  }),
};

/** All shared sections; an algorithm's declarations are these plus `training`. */
export const commonOptions = {
  environment: environmentOptions,
  envRunners: envRunnersOptions,
  learners: learnersOptions,
  evaluation: evaluationOptions,
  checkpointing: checkpointingOptions,
  faultTolerance: faultToleranceOptions,
  reporting: reportingOptions,
  debugging: debuggingOptions,
  stopping: stoppingOptions,
};
