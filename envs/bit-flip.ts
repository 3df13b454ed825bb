/**
 * BitFlip-v0: turn bits over until they are as asked, one at a time; nobody says how far that still is.
 *
 * ## Description
 * Of 2^n states a random policy meets the goal of its episode almost never: for n = 15 once in some 2,000 episodes. What is learnt from
 * rewards alone stays at nothing; hindsight, which takes the states that were reached for the goals that were meant, solves it.
 *
 * ## Action Space
 * `Discrete(n)`: the bit to turn over.
 *
 * ## Observation Space
 * Dict: `achievedGoal` and `observation`, the bits, and `desiredGoal`, those that are wanted; each `Box(n)` of 0 and 1.
 *
 * ## Rewards
 * -1 for every step, 0 for the one that reaches the goal.
 *
 * ## Starting State
 * Bits and goal uniform; a goal that is already there has one bit turned over.
 *
 * ## Episode End
 * Terminated at the goal; truncated after n steps.
 *
 * ## Options
 * `numBits` (15), `maxEpisodeSteps` (null = `numBits`).
 *
 * Source: Andrychowicz et al. (2017), "Hindsight Experience Replay", section 3.1, with episodes that end at the goal.
 *
 * State for `setState`: `[...bits, ...goal]`.
 */
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { checkInteger, readEnvOptions } from '../src/env/env-options.ts';
import { openEnvRandom } from '../src/env/env-random.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { Box, Dict, Discrete } from '../src/env/spaces.ts';

const ENV_ID = 'BitFlip-v0';

/** N rows of bits; see the head of this file. */
export const bitFlipKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, { numBits: 15, maxEpisodeSteps: null });
  const { numBits } = options;
  checkInteger(ENV_ID, 'numBits', numBits, 1, 1000);
  const bits = new Uint8Array(numEnvs * numBits); // [numEnvs, numBits] u8
  const goals = new Uint8Array(numEnvs * numBits); // [numEnvs, numBits] u8
  const results = stepResults(numEnvs);
  const isAtGoal = (n: number) => {
    for (let k = n * numBits; k < (n + 1) * numBits; k++) if (bits[k] !== goals[k]) return false;
    return true;
  };
  const areEqual = (achieved: Float32Array, desired: Float32Array) =>
    achieved.every((bit, k) => bit === desired[k]);
  const space = () => new Box(0, 1, [numBits]);

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Dict({ achievedGoal: space(), desiredGoal: space(), observation: space() }),
    actionSpace: new Discrete(numBits),
    maxEpisodeSteps: options.maxEpisodeSteps ?? numBits,
    masksActions: false,
    ...results,
    reset(n, seed) {
      const random = openEnvRandom(seed);
      for (let k = n * numBits; k < (n + 1) * numBits; k++) bits[k] = random.integer(2);
      for (let k = n * numBits; k < (n + 1) * numBits; k++) goals[k] = random.integer(2);
      if (isAtGoal(n)) goals[n * numBits + random.integer(numBits)] ^= 1;
    },
    step(n, actions, offset) {
      bits[n * numBits + actions[offset]] ^= 1;
      const isThere = isAtGoal(n);
      results.terminated[n] = isThere ? 1 : 0;
      results.rewards[n] = isThere ? 0 : -1;
    },
    writeObservation(n, out, offset) {
      for (let k = 0; k < numBits; k++) {
        out[offset + k] = bits[n * numBits + k];
        out[offset + numBits + k] = goals[n * numBits + k];
        out[offset + 2 * numBits + k] = bits[n * numBits + k];
      }
    },
    computeReward: (achieved, desired) => (areEqual(achieved, desired) ? 0 : -1),
    computeTerminated: areEqual,
    getState: (n) => [
      ...bits.subarray(n * numBits, (n + 1) * numBits),
      ...goals.subarray(n * numBits, (n + 1) * numBits),
    ],
    setState(n, state) {
      const numbers = state as number[];
      bits.set(numbers.slice(0, numBits), n * numBits);
      goals.set(numbers.slice(numBits), n * numBits);
    },
  };
};

/** Options in, one row of bits out. */
export const bitFlip = singleFactory(bitFlipKernel);
/** N rows of bits in one thread. */
export const bitFlipVector = vectorFactory(bitFlipKernel);
