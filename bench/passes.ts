/** How many minibatches a sample of an update's time has. */

export interface Passes {
  /** Minibatches of the rollout. */
  readonly numMinibatches: number;
  /** Passes over it. */
  readonly numEpochs: number;
}

/** At least 4,096 rows and 16 minibatches, one after another as in a run: PPO's default are 10 passes over one rollout. */
export function passesOf(rows: number): Passes {
  const numMinibatches = Math.max(2, Math.ceil(4096 / rows));
  return { numMinibatches, numEpochs: Math.ceil(16 / numMinibatches) };
}

export const unitsOf = ({ numMinibatches, numEpochs }: Passes): number => numMinibatches * numEpochs;
