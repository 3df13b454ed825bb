/** Experience that a replay buffer begins with; options of the section that has the buffer's. */
import { option } from '../option.ts';
import { conflict, type Problem } from '../problems.ts';
import * as kind from '../value-kind.ts';

export const prefillOptions = {
  prefill: option(kind.nullable(kind.text("'random', a checkpoint or a file of episodes", '<random|path>')), {
    default: null,
    onlyAtStart: true,
    doc: "What the buffer begins with: 'random' actions, the policy of a checkpoint or run folder, or recorded episodes (.safetensors).",
    alsoCalled: ['input_', 'demonstrations', 'offlineData'],
  }),
  prefillSteps: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    unit: 'transitions',
    onlyAtStart: true,
    doc: 'Transitions that are played for prefill, besides the steps of the run; null = 10,000. A file of episodes is taken whole.',
  }),
};

export function checkPrefill({
  training: { prefill, prefillSteps },
}: {
  readonly training: { readonly prefill: string | null; readonly prefillSteps: number | null };
}): readonly Problem[] {
  if (prefillSteps === null) return [];
  if (prefill === null)
    return [
      conflict(
        `prefillSteps (${prefillSteps}) has no effect while prefill is null: set prefill, or leave it out.`,
      ),
    ];
  if (!prefill.endsWith('.safetensors')) return [];
  return [
    conflict(
      `prefillSteps (${prefillSteps}) has no effect with a file of episodes (${prefill}), which is taken whole: leave it out.`,
    ),
  ];
}
