/** The temperature as closed forms read it; SAC's, TQC's and discrete SAC's. */
import type { RowSpace } from '../../src/learner/objective.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';

/** exp(log alpha), or the fixed temperature among the scalars. */
export function temperatureOf(rows: RowSpace, model: ModelSpec): () => number {
  if (!('logTemperature' in model.free)) return rows.scalar('temperature');
  const { values } = rows.free('logTemperature');
  return () => Math.exp(values[0]);
}
