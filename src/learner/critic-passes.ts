/** The passes of a critics' step that actor-critic algorithms have in common; part of their closed forms. */
import type { Pass, RowSpace } from './objective.ts';

/**
 * Targets `target/<name>` at (s', a') and critics at (s, a), which learn; each with a draw of its own where critics have dropout (draws from
 * 2 N on are free, N critics).
 */
export function criticPasses(
  rows: RowSpace,
  critics: readonly string[],
  nextActions: Float32Array,
): { readonly targets: readonly Pass[]; readonly passes: readonly Pass[] } {
  const next = { inputs: ['nextObservations', nextActions] };
  const now = { inputs: ['observations', 'actions'], gradient: 'parameters' } as const;
  return {
    targets: critics.map((name, k) => rows.pass({ network: `target/${name}`, ...next, dropout: k })),
    passes: critics.map((name, k) => rows.pass({ network: name, ...now, dropout: critics.length + k })),
  };
}
