/** How the policy is evaluated while it is trained. */
import type { AnyEnvFactory } from '../../env/async-env.ts';
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';

/** Marks options whose value cannot change the parameters of a run. */
const NEUTRAL = { affectsLearning: false } as const;

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
  evaluationEnv: option(
    kind.nullable(
      kind.textOrFunction<AnyEnvFactory>(
        "an environment id, a path such as './my-env.ts' or './my-env.ts#name', or a factory function",
        '<id|path>',
      ),
    ),
    {
      default: null,
      doc: 'Environment that evaluation plays in, with the same spaces; null = that of training.',
      alsoCalled: ['eval_env', 'evaluation_env'],
      namesModule: true,
      ...NEUTRAL,
    },
  ),
  evaluationEnvOptions: option(kind.jsonObject(), {
    default: {},
    doc: "Options for evaluation's environment; laid over envOptions where it is that of training.",
    alsoCalled: ['evaluation_config', 'evalEnvOptions'],
    ...NEUTRAL,
  }),
  evaluationMaxEpisodeSteps: option(kind.integer({ min: 1 }), {
    default: 100_000,
    unit: 'steps',
    doc: 'Steps after which an evaluation episode is cut, told, and counted with the return it has: an environment may have no end.',
    ...NEUTRAL,
  }),
  evaluationFilms: option(kind.integer({ min: 0, max: 1000 }), {
    default: 0,
    unit: 'episodes',
    doc: "An evaluation's first episodes that are filmed, greedily and up to 1,000 steps each, as films/NNNNNN-K.gif in the run folder.",
    alsoCalled: ['record', 'recordVideo', 'record_video', 'evaluation_films', 'video_length'],
    ...NEUTRAL,
  }),
  evaluationNumEnvs: option(kind.integer({ min: 1, max: 65536 }), {
    default: 10,
    doc: 'Environments that an evaluation steps side by side, at most one per episode.',
    alsoCalled: ['evaluation_num_env_runners'],
    ...NEUTRAL,
  }),
};
