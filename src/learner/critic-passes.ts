/** What critics' steps of actor-critic algorithms have in common; part of their closed forms. */
import type { LearntRows } from './learnt-rows.ts';
import type { Pass, RowSpace } from './objective.ts';

/**
 * Targets `target/<name>` at (s', a') and critics at (s, a), which learn; each with a draw of its own where critics have dropout (draws from
 * 2 N on are free, N critics). A critic's cell begins a sequence with zeros: only the actor's states are stored.
 */
export function criticPasses(
  rows: RowSpace,
  learnt: LearntRows,
  critics: readonly string[],
  nextActions: Float32Array,
): { readonly targets: readonly Pass[]; readonly passes: readonly Pass[] } {
  const next = { inputs: [learnt.next.observations, nextActions], begins: 'zero' } as const;
  const now = { inputs: ['observations', 'actions'], gradient: 'parameters', begins: 'zero' } as const;
  return {
    targets: critics.map((name, k) => rows.pass({ network: `target/${name}`, ...next, dropout: k })),
    passes: critics.map((name, k) => rows.pass({ network: name, ...now, dropout: critics.length + k })),
  };
}

/** The smallest of the critics' outputs number k: row k's, where a critic has one value. */
export function smallestOf(passes: readonly Pass[], k: number): number {
  let least = passes[0].outputs[k];
  for (let i = 1; i < passes.length; i++) least = Math.min(least, passes[i].outputs[k]);
  return least;
}

/**
 * `scale / 2` times the squared errors of one critic's rows, by their weights: their gradient, and what they add to the statistics 0 (loss) and 1 (the mean over
 * critics of q).
 */
export function flowToGoals(
  { outputs, gradOutputs }: Pass,
  learnt: LearntRows,
  goals: Float64Array, // [R] f64
  scale: number,
  { numRows, batchRows, numCritics }: { numRows: number; batchRows: number; numCritics: number },
  stats: Float64Array,
): void {
  let squares = 0;
  let sum = 0;
  for (let r = 0; r < numRows; r++) {
    const error = outputs[r] - goals[r];
    const weight = learnt.weightOf(r);
    gradOutputs[r] = (weight * scale * error) / batchRows;
    squares += weight * error * error;
    sum += weight * outputs[r];
  }
  stats[0] += 0.5 * scale * squares;
  stats[1] += sum / numCritics;
}
