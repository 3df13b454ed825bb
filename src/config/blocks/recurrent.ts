/** Memory: recurrent cells or attention in the policy, and how gradients flow through time. */
import { option } from '../option.ts';
import { conflict, type Problem } from '../problems.ts';
import * as kind from '../value-kind.ts';

const NEEDS_CELL = { option: 'recurrent', values: ['lstm', 'gru'] } as const;
const NEEDS_ATTENTION = { option: 'recurrent', values: ['attention'] } as const;

const cellOptions = {
  recurrentPosition: option(kind.orWord('first', kind.orWord('last', kind.integer({ min: 0, max: 1000 }))), {
    default: 'first',
    shapesCheckpoint: true,
    doc: 'Where the cells stand: before the hidden layers, behind them, or behind so many of them.',
    needs: NEEDS_CELL,
  }),
  forgetBias: option(kind.number({ min: -20, max: 20 }), {
    default: 0,
    doc: 'Initial bias of the gate that keeps the state: a fresh cell keeps sigmoid(forgetBias) of it a step, half by default, 0.95 with 3.',
    onlyAtStart: true,
    needs: NEEDS_CELL,
    alsoCalled: ['forget_bias', 'unit_forget_bias'],
  }),
};

/** What cells and attention have both. @param kinds of memory that the algorithm trains. */
function sharedOptions(kinds: readonly string[]) {
  const needs = { option: 'recurrent', values: kinds };
  const both = kinds.includes('attention');
  return {
    recurrentSize: option(kind.integer({ min: 1, max: 65536 }), {
      default: 128,
      shapesCheckpoint: true,
      doc: both ? 'Units of each recurrent cell, or width of attention.' : 'Units of each recurrent cell.',
      needs,
      alsoCalled: ['lstm_cell_size', 'lstm_hidden_size', 'rnn_size', 'attention_dim'],
    }),
    recurrentLayers: option(kind.integer({ min: 1, max: 8 }), {
      default: 1,
      shapesCheckpoint: true,
      doc: `Cells on top of each other, each on the hidden states of the one below${both ? '; or blocks of attention' : ''}.`,
      needs,
      alsoCalled: ['n_lstm_layers', 'num_rnn_layers', 'rnn_num_layers', 'attention_num_transformer_units'],
    }),
    sequenceLength: option(kind.integer({ min: 1 }), {
      default: 16,
      unit: 'steps',
      doc: 'Steps that gradients flow back through; divides rolloutLength and minibatchSize. Longer: remembers from further back.',
      needs,
      alsoCalled: ['max_seq_len', 'seq_len', 'bptt_horizon', 'truncate_bptt'],
    }),
  };
}

export const recurrentOptions = {
  recurrent: option(kind.nullable(kind.choice(['lstm', 'gru'])), {
    default: null,
    shapesCheckpoint: true,
    doc: 'Recurrent cells among the hidden layers, of actor and critic each (sharedLayers: for both); null = no memory.',
    alsoCalled: ['use_lstm', 'lstm'],
  }),
  ...sharedOptions(['lstm', 'gru']),
  ...cellOptions,
};

/** For algorithms that the TensorFlow engine learns, too. */
export const recurrentOrAttentionOptions = {
  recurrent: option(kind.nullable(kind.choice(['lstm', 'gru', 'attention'])), {
    default: null,
    shapesCheckpoint: true,
    doc: 'Recurrent cells among the hidden layers, or attention before them (TensorFlow), of actor and critic each; null = no memory.',
    alsoCalled: ['use_lstm', 'lstm', 'use_attention'],
  }),
  ...sharedOptions(['lstm', 'gru', 'attention']),
  ...cellOptions,
  attentionWindow: option(kind.integer({ min: 1, max: 4096 }), {
    default: 32,
    unit: 'steps',
    shapesCheckpoint: true,
    doc: 'Past steps of the episode that a step sees, besides itself; with several blocks, further back through them.',
    needs: NEEDS_ATTENTION,
    alsoCalled: ['attention_memory_inference', 'attention_memory_training', 'memory_length'],
  }),
  attentionHeads: option(kind.integer({ min: 1, max: 64 }), {
    default: 4,
    shapesCheckpoint: true,
    doc: 'Heads of attention; divides recurrentSize.',
    needs: NEEDS_ATTENTION,
    alsoCalled: ['attention_num_heads', 'num_heads'],
  }),
  attentionGateBias: option(kind.number({ min: 0, max: 20 }), {
    default: 2,
    doc: 'Initial bias of the gates around attention: a fresh block passes sigmoid(attentionGateBias) of what it is given by.',
    onlyAtStart: true,
    needs: NEEDS_ATTENTION,
    alsoCalled: ['attention_init_gru_gate_bias'],
  }),
};

/** For algorithms that learn by other weights than those that collected: by the same ones a burn-in finds the states that are there. */
export const burnInOptions = {
  burnIn: option(kind.integer({ min: 0 }), {
    default: 0,
    unit: 'steps',
    doc: "Steps before each sequence that only warm its state by the learner's weights, without gradients; a rollout's first has none.",
    needs: NEEDS_CELL,
    alsoCalled: ['burn_in', 'replay_sequence_burn_in', 'replay_burn_in'],
  }),
};

/** For algorithms that go over a rollout several times. */
export const recomputeOptions = {
  recomputeStates: option(kind.boolean(), {
    default: false,
    doc: 'Compute the states that sequences begin with anew between epochs, by the weights so far; else they stay as collected.',
    needs: NEEDS_CELL,
  }),
};

const { recurrentSize, sequenceLength } = sharedOptions(['lstm', 'gru']);

/** For algorithms with a replay buffer: one cell before the hidden layers, sequences from the states that are stored with them. */
export const replayedRecurrentOptions = {
  recurrent: option(kind.nullable(kind.choice(['lstm', 'gru'])), {
    default: null,
    shapesCheckpoint: true,
    doc: 'A recurrent cell before the hidden layers, learnt from stored sequences (R2D2); null = no memory.',
    alsoCalled: ['use_lstm', 'lstm'],
  }),
  recurrentSize,
  sequenceLength: option(kind.integer({ min: 1 }), {
    ...sequenceLength,
    doc: 'Steps that gradients flow back through; batchSize is a multiple of four times as many. Sequences begin at every trainEvery-th step.',
  }),
  burnIn: option(kind.integer({ min: 0 }), {
    ...burnInOptions.burnIn,
    doc: "Steps before each sequence that only warm its state by the learner's weights, without gradients.",
  }),
};

/** For algorithms that learn values from rollouts: one cell before the hidden layers, sequences of the rollout from the states that they were collected with. */
export const collectedRecurrentOptions = {
  recurrent: option(kind.nullable(kind.choice(['lstm', 'gru'])), {
    default: null,
    shapesCheckpoint: true,
    doc: 'A recurrent cell before the hidden layers, learnt from the sequences of a rollout; null = no memory.',
    alsoCalled: ['use_lstm', 'lstm'],
  }),
  recurrentSize,
  sequenceLength: option(kind.integer({ min: 1 }), {
    ...sequenceLength,
    doc: 'Steps that gradients flow back through; it divides rolloutLength, and minibatchSize is a multiple of four times as many.',
  }),
};

interface RecurrentConfig {
  readonly training: {
    readonly recurrent: 'lstm' | 'gru' | 'attention' | null;
    readonly recurrentSize: number;
    /** Of algorithms with attention. */
    readonly attentionHeads?: number;
    readonly sequenceLength: number;
    /** Absent: the algorithm has none. */
    readonly burnIn?: number;
    /** Absent: the rollout is the only minibatch. */
    readonly minibatchSize?: number;
    readonly recurrentPosition: number | 'first' | 'last';
    readonly hiddenSizes: readonly number[];
    readonly network: string;
    readonly useGsde: boolean;
  };
  readonly envRunners: { readonly rolloutLength: number; readonly inference: string };
  readonly learners: { readonly engine: string };
}

/** What recurrence goes together with. */
export function checkRecurrent(config: RecurrentConfig): readonly Problem[] {
  const { training, envRunners } = config;
  const {
    recurrent,
    recurrentPosition,
    hiddenSizes,
    sequenceLength,
    burnIn = 0,
    network,
    useGsde,
  } = training;
  if (recurrent === null) return [];
  const { rolloutLength, inference } = envRunners;
  const { minibatchSize = sequenceLength } = training;
  const found: (readonly [boolean, string])[] = [
    [
      rolloutLength % sequenceLength !== 0,
      `sequenceLength (${sequenceLength}) must divide rolloutLength (${rolloutLength}): a sequence lies within one rollout, and none is padded. ` +
        'Change one of the two.',
    ],
    [
      minibatchSize % sequenceLength !== 0,
      `minibatchSize (${minibatchSize}) must be a multiple of sequenceLength (${sequenceLength}): a minibatch holds whole sequences. ` +
        'Change one of the two.',
    ],
    [
      burnIn > sequenceLength,
      `burnIn (${burnIn}) must be at most sequenceLength (${sequenceLength}): it lies within the sequence before. Change one of the two.`,
    ],
    [
      burnIn > 0 && sequenceLength === rolloutLength,
      `burnIn (${burnIn}) has no effect while sequenceLength (${sequenceLength}) is the whole of rolloutLength: a rollout's first sequences have none. Shorten sequenceLength, or leave burnIn out.`,
    ],
    [
      typeof recurrentPosition === 'number' && recurrentPosition > hiddenSizes.length,
      `recurrentPosition (${recurrentPosition}) must be at most the number of hidden layers (${hiddenSizes.length}), or 'last'.`,
    ],
    [
      network !== 'mlp',
      `recurrent (${recurrent}) stands among the layers of an MLP, but network is ${network}: set network to mlp, or leave recurrent out.`,
    ],
    [useGsde, `recurrent (${recurrent}) does not go together with useGsde: leave one of the two out.`],
    [
      inference === 'central',
      `recurrent (${recurrent}) acts in the workers, where the states are, but inference is central: leave inference out.`,
    ],
  ];
  found.push(...checkAttention(config));
  return found.filter(([isWrong]) => isWrong).map(([, message]) => conflict(message));
}

function checkAttention({ training, learners }: RecurrentConfig): readonly (readonly [boolean, string])[] {
  const { recurrent, recurrentSize, attentionHeads = 1 } = training;
  if (recurrent !== 'attention') return [];
  return [
    [
      learners.engine === 'simd',
      'recurrent (attention) learns on the TensorFlow engine, but engine is simd: set engine to tensorflow or leave it out, or set recurrent to ' +
        'lstm or gru, which the kernels cover.',
    ],
    [
      recurrentSize % attentionHeads !== 0,
      `attentionHeads (${attentionHeads}) must divide recurrentSize (${recurrentSize}): each head has an equal part of it. Change one of the two.`,
    ],
  ];
}
