/** What the driver of a run reads, whatever the algorithm: checkpoints, reports, seeds, when to stop. */
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';

/** Marks options whose value cannot change the parameters of a run. */
const NEUTRAL = { affectsLearning: false } as const;

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
  initFrom: option(kind.nullable(kind.text('a checkpoint or a run folder', '<folder>')), {
    default: null,
    doc: "Begin with the weights and observation statistics of another run's checkpoint, as far as layers have the same names and shapes.",
    alsoCalled: ['warmStart', 'pretrained', 'load_weights', 'initializeFrom'],
    onlyAtStart: true,
  }),
  initNetworks: option(kind.nullable(kind.nameList()), {
    default: null,
    doc: 'Take these networks alone (actor, critic, q1, ...); null = all that fit. Needs initFrom.',
    onlyAtStart: true,
  }),
  initOptimizer: option(kind.boolean(), {
    default: false,
    doc: "Take Adam's moments and step counters, too, where all that an optimizer steps was taken. Needs initFrom.",
    onlyAtStart: true,
  }),
  initPolicies: option(kind.nullable(kind.jsonObject()), {
    default: null,
    doc: 'Policies here and those of the checkpoint that they begin with; null = by name, or the only one for all. Needs initFrom.',
    onlyAtStart: true,
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
  curves: option(kind.boolean(), {
    default: true,
    doc: 'Draw curves.svg in the run folder when the run ends, from progress.jsonl.',
    needs: { option: 'jsonl', values: [true] },
    ...NEUTRAL,
  }),
};

export const debuggingOptions = {
  seed: option(kind.integer({ min: 0, max: 4294967295 }), {
    default: 0,
    shapesCheckpoint: true,
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
    doc: 'Show stack traces: on the command line, which alone looks at it.',
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
    doc: 'Stop after the iteration that ends when the whole run, over all its resumes, has trained this long.',
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
  stopProcessSeconds: option(kind.nullable(kind.number({ above: 0 })), {
    default: null,
    unit: 's',
    doc: 'Stop after the iteration that ends this long after this process began to train: the time slot of a job that is resumed.',
    ...NEUTRAL,
  }),
  stopEvaluationReturn: option(kind.nullable(kind.number()), {
    default: null,
    doc: 'Stop when the mean return of an evaluation reaches this. Needs evaluationInterval.',
    ...NEUTRAL,
  }),
  stopEvaluationPatience: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    unit: 'evaluations',
    doc: 'Stop after this many evaluations in a row that were no new best. Needs evaluationInterval.',
    alsoCalled: ['max_no_improvement_evals', 'patience'],
    ...NEUTRAL,
  }),
};

/** The sections of every algorithm, with environments or without. */
export const runOptions = {
  checkpointing: checkpointingOptions,
  reporting: reportingOptions,
  debugging: debuggingOptions,
  stopping: stoppingOptions,
};
