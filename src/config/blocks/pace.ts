/** How an off-policy algorithm divides its time between experience and updates. Everything is counted in environment steps. */
import { option } from '../option.ts';
import { conflict, type Problem } from '../problems.ts';
import { choice } from '../search-space.ts';
import * as kind from '../value-kind.ts';
import { envRunnersOptions } from './environment.ts';

export const paceOptions = {
  learningStarts: option(kind.integer({ min: 0 }), {
    default: 1000,
    unit: 'environment steps',
    onlyAtStart: true,
    doc: 'Steps with uniformly random actions before the first update.',
    alsoCalled: ['learning_starts', 'num_steps_sampled_before_learning_starts', 'warmupSteps', 'start_steps'],
  }),
  trainEvery: option(kind.integer({ min: 1, max: 1048576 }), {
    default: 1,
    unit: 'steps',
    doc: 'Steps that each environment takes between two rounds of updates.',
    search: choice([1, 4, 8, 16]),
    alsoCalled: ['train_freq', 'trainFreq', 'train_frequency', 'rollout_fragment_length'],
  }),
  updatesPerStep: option(kind.nullable(kind.number({ min: 0, max: 1000 })), {
    default: 1,
    doc: 'Updates for each environment step (the update-to-data ratio); fractions add up; null = go by gradientSteps.',
    search: choice([0.125, 0.25, 0.5, 1]),
    alsoCalled: ['utd', 'utd_ratio', 'training_intensity', 'replay_ratio'],
    replaces: ['gradientSteps'],
  }),
  gradientSteps: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    doc: 'Updates of a round, whatever numEnvs and trainEvery are; null = go by updatesPerStep.',
    alsoCalled: ['gradient_steps'],
    replaces: ['updatesPerStep'],
  }),
  batchSize: option(kind.integer({ min: 1, max: 65536 }), {
    default: 256,
    unit: 'transitions',
    doc: 'Transitions of an update, drawn anew for each.',
    search: choice([32, 64, 128, 256, 512]),
    alsoCalled: ['batch_size', 'train_batch_size', 'train_batch_size_per_learner', 'minibatchSize'],
  }),
  lag: option(kind.integer({ min: 0, max: 1 }), {
    default: 0,
    doc: '1 = environments go on while the learner updates, with the weights from before: faster with rollout workers, another run.',
  }),
  stepsPerIteration: option(kind.integer({ min: 1 }), {
    default: 1000,
    unit: 'environment steps',
    doc: 'Steps between two reports, rounded up to whole rounds. With lag 1 an iteration begins with the newest weights.',
    alsoCalled: ['min_sample_timesteps_per_iteration', 'log_interval'],
  }),
};

/** `envRunners` of off-policy algorithms: one environment, and threads only where they pay. */
export const offPolicyEnvRunnersOptions = {
  ...envRunnersOptions,
  numEnvRunners: option(kind.orAuto(kind.integer({ min: 0, max: 256 })), {
    ...envRunnersOptions.numEnvRunners,
    doc: 'Rollout worker threads; never changes results. auto = none for short rounds without lag, else min(cores, 4, numEnvs); 0 = in the main thread.',
  }),
  numEnvs: option(kind.integer({ min: 1, max: 65536 }), { ...envRunnersOptions.numEnvs, default: 1 }),
};

/** Something says how many updates are made. */
export function checkUpdates({
  training: { updatesPerStep, gradientSteps },
}: {
  readonly training: { readonly updatesPerStep: number | null; readonly gradientSteps: number | null };
}): readonly Problem[] {
  if (updatesPerStep !== null || gradientSteps !== null) return [];
  return [conflict('updatesPerStep and gradientSteps are both null: set one of them.')];
}

/** Besides {@link checkUpdates}: a batch of transitions is there when the first update wants it. */
export function checkPace(config: {
  readonly training: {
    readonly updatesPerStep: number | null;
    readonly gradientSteps: number | null;
    readonly learningStarts: number;
    readonly trainEvery: number;
    readonly batchSize: number;
    readonly nStep?: number;
    /** What is prefilled counts, too; how much it is shows when it is there. */
    readonly prefill: string | null;
  };
  readonly envRunners: { readonly numEnvs: number };
}): readonly Problem[] {
  const { learningStarts, trainEvery, batchSize, nStep = 1, prefill } = config.training;
  const { numEnvs } = config.envRunners;
  const problems = checkUpdates(config);
  if (problems.length > 0 || prefill !== null) return problems;
  const round = trainEvery * numEnvs;
  const collected = round * (Math.floor(learningStarts / round) + 1);
  const sampleable = collected - (nStep - 1) * numEnvs; // the newest steps of each row begin no whole window yet
  if (batchSize <= sampleable) return [];
  return [
    conflict(
      `batchSize (${batchSize}) must not exceed the ${sampleable} ${nStep === 1 ? 'steps' : `windows of ${nStep} steps`} that have been collected when the first update is made: ` +
        `raise learningStarts (${learningStarts}), or lower batchSize.`,
    ),
  ];
}
