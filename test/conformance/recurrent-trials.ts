/** What the suite asks of an algorithm that trains recurrent policies, whatever it learns by. */
import type { Settings, Trial } from './subject.ts';

/** @param length steps of a short sequence; the rollout has a multiple of two of them, and so has a minibatch. */
export function recurrentTrials(length: number): Readonly<Record<string, Trial>> {
  const training = (options: Trial['change'][string]): Trial['change'] => ({ training: options });
  const base = training({ recurrent: 'lstm', recurrentSize: 8, sequenceLength: length });
  return {
    'training.recurrent': { base, change: training({ recurrent: 'gru' }) },
    'training.recurrentSize': { base, change: training({ recurrentSize: 9 }) },
    'training.recurrentLayers': { base, change: training({ recurrentLayers: 2 }) },
    'training.recurrentPosition': { base, change: training({ recurrentPosition: 'last' }) },
    'training.forgetBias': { base, change: training({ forgetBias: 1 }) },
    'training.sequenceLength': { base, change: training({ sequenceLength: 2 * length }) },
  };
}

/** Of algorithms that have a burn-in. */
export function burnInTrials(length: number): Readonly<Record<string, Trial>> {
  const base = { training: { recurrent: 'lstm', recurrentSize: 8, sequenceLength: length } };
  return { 'training.burnIn': { base, change: { training: { burnIn: length - 1 } } } };
}

/** @param rolloutLength of the plain settings. */
export function burnInRefused(rolloutLength: number): Settings['refused'] {
  const cell = { recurrent: 'lstm', sequenceLength: rolloutLength };
  return [
    [
      'a burn-in longer than a sequence',
      { training: { ...cell, sequenceLength: rolloutLength / 2, burnIn: rolloutLength } },
      /burnIn \(\d+\) must be at most sequenceLength/,
    ],
    [
      'a burn-in that no sequence would have',
      { training: { ...cell, burnIn: 1 } },
      /burnIn \(1\) has no effect while sequenceLength/,
    ],
    [
      'a burn-in without recurrence',
      { training: { burnIn: 1 } },
      /burnIn \(1\) has no effect while recurrent/,
    ],
  ];
}

/** The same for attention, on an engine that has it. */
export function attentionTrials(length: number): Readonly<Record<string, Trial>> {
  const memory = { recurrent: 'attention', recurrentSize: 8, attentionHeads: 2, attentionWindow: 3 };
  const base: Trial['change'] = {
    learners: { engine: 'tensorflow', backend: 'cpu' },
    training: { ...memory, sequenceLength: length },
  };
  const change = (options: Trial['change'][string]): Trial => ({ base, change: { training: options } });
  return {
    'training.attentionWindow': change({ attentionWindow: 4 }),
    'training.attentionHeads': change({ attentionHeads: 4 }),
    'training.attentionGateBias': change({ attentionGateBias: 1 }),
  };
}

export const attentionRefused: Settings['refused'] = [
  [
    'attention on the kernels',
    { training: { recurrent: 'attention' }, learners: { engine: 'simd' } },
    /recurrent \(attention\) learns on the TensorFlow engine, but engine is simd: set engine to tensorflow/,
  ],
  [
    'heads that do not share the width',
    { training: { recurrent: 'attention', recurrentSize: 10 } },
    /attentionHeads \(4\) must divide recurrentSize \(10\)/,
  ],
  [
    'a window for a cell',
    { training: { recurrent: 'lstm', attentionWindow: 8 } },
    /attentionWindow \(8\) has no effect while recurrent is lstm/,
  ],
  [
    'a bias of cells for attention',
    { training: { recurrent: 'attention', forgetBias: 1 } },
    /forgetBias \(1\) has no effect while recurrent is attention/,
  ],
];

/** @param rolloutLength of the plain settings. */
export function recurrentRefused(rolloutLength: number): Settings['refused'] {
  const pendulum = { environment: { env: 'Pendulum-v1', envOptions: {} } };
  const cell = { recurrent: 'lstm', sequenceLength: rolloutLength };
  return [
    [
      'sequences that do not divide the rollout',
      { training: { ...cell, sequenceLength: rolloutLength - 1 } },
      new RegExp(
        `sequenceLength \\(${rolloutLength - 1}\\) must divide rolloutLength \\(${rolloutLength}\\)`,
      ),
    ],
    [
      'sequences longer than the rollout',
      { training: { ...cell, sequenceLength: 2 * rolloutLength } },
      new RegExp(
        `sequenceLength \\(${2 * rolloutLength}\\) must divide rolloutLength \\(${rolloutLength}\\)`,
      ),
    ],
    [
      'cells behind more layers than there are',
      { training: { ...cell, hiddenSizes: [8, 8], recurrentPosition: 3 } },
      /recurrentPosition \(3\) must be at most the number of hidden layers \(2\), or 'last'/,
    ],
    [
      'more cells on top of each other than eight',
      { training: { ...cell, recurrentLayers: 9 } },
      /`recurrentLayers`/,
    ],
    [
      'recurrence with gSDE',
      { ...pendulum, training: { ...cell, useGsde: true } },
      /recurrent \(lstm\) does not go together with useGsde/,
    ],
    [
      'recurrence with convolutions',
      { training: { ...cell, network: 'conv' } },
      /recurrent \(lstm\) stands among the layers of an MLP, but network is conv/,
    ],
    [
      'recurrence with central inference',
      { training: cell, envRunners: { inference: 'central' } },
      /recurrent \(lstm\) acts in the workers/,
    ],
    [
      'a length of sequences without recurrence',
      { training: { sequenceLength: rolloutLength / 2 + 1 } },
      /sequenceLength \(\d+\) has no effect while recurrent/,
    ],
  ];
}
