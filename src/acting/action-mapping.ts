/** From stored actions to what an environment gets. */
import type { ActionArray } from '../env/vector-env.ts';
import { placeHeads } from '../policy/distributions/product.ts';
import { type ActingSpec, actionSize, isBehaviour, type ProductSpec } from '../policy/policy-spec.ts';

/**
 * Copies one row's stored action into the dense array an environment reads.
 *
 * Discrete indices pass unchanged. Continuous ones are clipped into the bounds, or, with `squash`, mapped by
 * low + (tanh(u) + 1) / 2 (high - low); those of a behaviour already lie in [-1, 1] and are mapped by
 * low + (a + 1) / 2 (high - low). The stored action keeps its value: its log-probability belongs to it
 * (detail 27 of the 37; Huang et al. 2022).
 */
export type MapAction = (
  stored: ActionArray,
  storedOffset: number,
  out: ActionArray,
  outOffset: number,
) => void;

export function createActionMapping({ distribution }: Pick<ActingSpec, 'distribution'>): MapAction {
  if (distribution.kind === 'product') return mapHeads(distribution);
  const size = actionSize(distribution);
  if ('sizes' in distribution || distribution.kind === 'bernoulli') {
    return (stored, storedOffset, out, outOffset) => {
      for (let a = 0; a < size; a++) out[outOffset + a] = stored[storedOffset + a];
    };
  }
  const { low, high } = distribution;
  const isInUnits = isBehaviour(distribution);
  if (isInUnits || distribution.squash) {
    return (stored, storedOffset, out, outOffset) => {
      for (let a = 0; a < size; a++) {
        const x = stored[storedOffset + a];
        out[outOffset + a] = low[a] + (((isInUnits ? x : Math.tanh(x)) + 1) / 2) * (high[a] - low[a]);
      }
    };
  }
  return (stored, storedOffset, out, outOffset) => {
    for (let a = 0; a < size; a++) {
      out[outOffset + a] = Math.min(Math.max(stored[storedOffset + a], low[a]), high[a]);
    }
  };
}

/** Each head's elements as its own kind says. */
function mapHeads(distribution: ProductSpec): MapAction {
  const heads = placeHeads(distribution).map(({ head, action }) => ({
    action,
    map: createActionMapping({ distribution: head }),
  }));
  return (stored, storedOffset, out, outOffset) => {
    for (const { action, map } of heads) map(stored, storedOffset + action, out, outOffset + action);
  };
}

/**
 * The other way, for experience from elsewhere: what a behaviour stores of an action that an environment got. Continuous ones come from the
 * bounds to [-1, 1], clipped into it.
 */
export function createActionStoring(spec: ActingSpec): MapAction {
  const { distribution } = spec;
  if (!isBehaviour(distribution) || 'sizes' in distribution) return createActionMapping(spec);
  const { size, low, high } = distribution;
  return (given, givenOffset, out, outOffset) => {
    for (let a = 0; a < size; a++) {
      const unit = (given[givenOffset + a] - low[a]) / (high[a] - low[a]);
      out[outOffset + a] = 2 * Math.min(Math.max(unit, 0), 1) - 1;
    }
  };
}
