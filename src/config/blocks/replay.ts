/** What an off-policy algorithm remembers, and how it draws from that. */
import { option } from '../option.ts';
import { conflict, type Problem } from '../problems.ts';
import * as kind from '../value-kind.ts';
import { checkPrefill, prefillOptions } from './prefill.ts';

export const replayOptions = {
  replayCapacity: option(kind.integer({ min: 1 }), {
    default: 1_000_000,
    unit: 'transitions',
    onlyAtStart: true,
    doc: 'Transitions that are kept, over all environments; the oldest make room. The memory they take is told at the start.',
    alsoCalled: ['buffer_size', 'bufferSize', 'replay_buffer_capacity', 'capacity'],
  }),
  replayBytes: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    unit: 'bytes',
    shapesCheckpoint: true,
    doc: 'Memory that they may take: as many are kept as fit, and replayCapacity at most; null = as much as that takes.',
    alsoCalled: ['buffer_bytes', 'max_buffer_memory'],
  }),
  nStep: option(kind.integer({ min: 1, max: 1000 }), {
    default: 1,
    unit: 'steps',
    doc: 'Rewards summed before the bootstrap; fewer at the end of an episode.',
    alsoCalled: ['n_step', 'n_steps', 'nSteps', 'multi_step'],
  }),
  checkpointReplay: option(kind.boolean(), {
    default: true,
    doc: 'Whether checkpoints hold the replay buffer. false: they are small, and a resumed run begins with an empty buffer, so it is another run.',
    alsoCalled: ['store_buffer_in_checkpoints', 'save_replay_buffer'],
    affectsLearning: false,
  }),
  ...prefillOptions,
};

/** Drawing in proportion to the error (Schaul et al. 2016, arXiv:1511.05952). */
export const priorityOptions = {
  prioritised: option(kind.boolean(), {
    default: false,
    onlyAtStart: true,
    doc: 'Draw transitions in proportion to |error|^priorityExponent, and weigh them against the bias.',
    alsoCalled: ['prioritized', 'prioritized_replay', 'prioritizedReplay'],
  }),
  priorityExponent: option(kind.number({ min: 0, max: 1 }), {
    default: 0.6,
    doc: '0 = uniform, 1 = in proportion to the error.',
    needs: { option: 'prioritised', values: [true] },
    alsoCalled: ['prioritized_replay_alpha', 'alpha'],
  }),
  importanceExponent: option(kind.schedule({ min: 0, max: 1 }), {
    default: 0.4,
    doc: 'How far importance weights undo the bias: 0 = not at all, 1 = wholly. A schedule often ends at 1.',
    needs: { option: 'prioritised', values: [true] },
    alsoCalled: ['prioritized_replay_beta', 'beta'],
  }),
};

/** The buffer has to hold a batch. */
export function checkReplay(config: {
  readonly training: {
    readonly replayCapacity: number;
    readonly batchSize: number;
    readonly nStep: number;
    readonly prefill: string | null;
    readonly prefillSteps: number | null;
  };
  readonly envRunners: { readonly numEnvs: number };
}): readonly Problem[] {
  const { replayCapacity, batchSize, nStep } = config.training;
  const { numEnvs } = config.envRunners;
  const problems = checkPrefill(config);
  // Environments have equal parts, and the newest nStep - 1 transitions of each cannot be drawn.
  const inRows = (Math.ceil(batchSize / numEnvs) + nStep - 2) * numEnvs + 1;
  const least = Math.max(batchSize + nStep - 1, inRows);
  if (replayCapacity >= least) return problems;
  return [
    ...problems,
    conflict(
      `replayCapacity (${replayCapacity}) must hold a batch: at least ${least} transitions for batchSize ${batchSize}, nStep ${nStep} and numEnvs ${numEnvs}. ` +
        'Raise replayCapacity.',
    ),
  ];
}
