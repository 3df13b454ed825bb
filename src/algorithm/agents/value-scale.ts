/** Values learned at the scale of the returns so far, with what that means for the critic's last layer (PopArt). */
import { fieldState, hasField, numbersSchema, readField } from '../../checkpoint/field-state.ts';
import type { StatePart } from '../../checkpoint/state-part.ts';
import type { Learner } from '../../learner/learner.ts';
import type { ParameterLayout } from '../../weights/parameter-layout.ts';
import { policyField } from '../learner-state.ts';
import { inPolicy, NOTHING_WARM } from '../warm-policies.ts';

/** How much of the running moments a rollout leaves as it was. */
const DECAY = 0.99;
const MIN_STD = 1e-2;

export interface ValueScale {
  /**
   * Takes in the returns of a rollout and puts the learner's head onto the new scale: what it says in units of returns stays the same.
   *
   * @param returns f32, flat; read at `samples`.
   */
  absorb(returns: Float32Array, samples: Int32Array, learner: Learner): void;
  /** values := (values - mean) / std at `samples`. */
  normalize(values: Float32Array, samples: Int32Array): void;
  /** Puts a copy of the parameters into units of returns: what acts gives values that can be compared with rewards. */
  toReturns(parameters: Float32Array, layout: ParameterLayout): void;
  /** Weight of the running moments, and of returns and their squares. */
  moments(): readonly number[];
  setMoments(moments: readonly number[]): void;
  readonly state: StatePart;
}

/**
 * PopArt (van Hasselt et al. 2016, arXiv:1602.07714): the critic learns (R - mean) / std, and whenever mean and std move its last layer
 * moves against them, w' = w std / std', b' = (b std + mean - mean') / std'. Mean and std are debiased running means over rollouts (decay
 * 0.99; MAPPO's value normaliser, Yu et al. 2022, arXiv:2103.01955, has 0.99999 and one step a minibatch), std at least 0.01. Adam's moments
 * stay as they are, as in both sources.
 *
 * Thread: main. Cost: O(samples).
 */
export function createValueScale(policy: string): ValueScale {
  let [weight, first, second] = [0, 0, 0]; // of the moments; running mean of R and of R^2
  const scale = () => {
    if (weight === 0) return { mean: 0, std: 1 };
    const mean = first / weight;
    return { mean, std: Math.max(MIN_STD, Math.sqrt(Math.max(0, second / weight - mean * mean))) };
  };
  const moments = () => [weight, first, second];
  const setMoments = (given: readonly number[]) => {
    [weight, first, second] = given;
  };
  return {
    absorb(returns, samples, learner) {
      const before = scale();
      let [sum, squares] = [0, 0];
      for (const i of samples) {
        sum += returns[i];
        squares += returns[i] * returns[i];
      }
      weight = DECAY * weight + (1 - DECAY);
      first = DECAY * first + ((1 - DECAY) * sum) / samples.length;
      second = DECAY * second + ((1 - DECAY) * squares) / samples.length;
      const after = scale();
      const parameters = learner.readParameters();
      moveHead(parameters, learner.layout, before.std / after.std, (before.mean - after.mean) / after.std);
      learner.writeParameters(parameters);
    },
    normalize(values, samples) {
      const { mean, std } = scale();
      for (const i of samples) values[i] = (values[i] - mean) / std;
    },
    toReturns(parameters, layout) {
      const { mean, std } = scale();
      moveHead(parameters, layout, std, mean);
    },
    moments,
    setMoments,
    state: valueScaleState(policy, { getState: moments, setState: setMoments }),
  };
}

/** A critic that is taken from another run tells values at that run's scale. */
function valueScaleState(
  policy: string,
  accessors: { getState(): number[]; setState(moments: number[]): void },
): StatePart {
  const schema = numbersSchema(3);
  return {
    ...fieldState({ field: policyField(policy, 'valueMoments'), schema, ...accessors }),
    readWarmStart(content, { sources, networks }) {
      const isWanted = networks === null || networks.includes('critic');
      if (!isWanted || !Object.hasOwn(sources, policy)) return NOTHING_WARM;
      const name = inPolicy(policy, 'value statistics');
      const field = policyField(sources[policy], 'valueMoments');
      if (!hasField(content, field)) {
        const why = 'not in the checkpoint, whose critic told values in units of returns';
        return { ...NOTHING_WARM, left: [{ name, why }] };
      }
      const moments = readField(content, field, schema);
      return { taken: [name], left: [], apply: () => accessors.setState(moments) };
    },
  };
}

/** The critic's output becomes factor * output + shift. */
function moveHead(parameters: Float32Array, layout: ParameterLayout, factor: number, shift: number): void {
  for (const { name, offset, size } of layout.entries) {
    if (!name.startsWith('critic/head/')) continue;
    for (let k = offset; k < offset + size; k++) parameters[k] *= factor;
    if (name.endsWith('/bias')) parameters[offset] += shift;
  }
}
