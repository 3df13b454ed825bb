/** Experience that a replay buffer begins with; options of the section that has the buffer's. */
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';

export const prefillOptions = {
  prefill: option(kind.nullable(kind.text("'random', a checkpoint or a file of episodes", '<random|path>')), {
    default: null,
    doc: "What the buffer begins with: 'random' actions, the policy of a checkpoint or run folder, or recorded episodes (.safetensors).",
    alsoCalled: ['input_', 'demonstrations', 'offlineData'],
  }),
  prefillSteps: option(kind.integer({ min: 1 }), {
    default: 10_000,
    unit: 'transitions',
    doc: 'Transitions that are played for it, besides the steps of the run; a file of episodes is taken whole.',
  }),
};
