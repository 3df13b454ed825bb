/**
 * RepeatFirst-v0: remember the first symbol of a sequence while others go by, and say it again at every step.
 *
 * ## Description
 * A symbol is shown at every step; the first is to be repeated, those after it only distract. Without memory the best return is
 * 1 / length + (1 - 1 / length) / numSymbols: 0.297 with 4 symbols and 16 steps.
 *
 * ## Action Space
 * `Discrete(numSymbols)`: the symbol to say.
 *
 * ## Observation Space
 * `Box(numSymbols + 1)` of 0 and 1: the symbol that is shown, one-hot, and last whether it is the first.
 *
 * ## Rewards
 * 1 / length for every step that says the first symbol. Return 1 = always.
 *
 * ## Starting State
 * All symbols of the episode uniform, drawn beforehand.
 *
 * ## Episode End
 * Terminated after `length` steps.
 *
 * ## Options
 * `numSymbols` (4), `length` (16 steps), `maxEpisodeSteps` (null = no limit besides `length`).
 *
 * Source: Morad et al. (2023), "POPGym: benchmarking partially observable reinforcement learning", the task Repeat First, with symbols drawn one by one
 * instead of cards from a deck.
 *
 * State for `setState`: `[step, ...symbols]`.
 */
import type { RgbFrame } from '../src/env/env.ts';
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { checkInteger, readEnvOptions } from '../src/env/env-options.ts';
import { openEnvRandom } from '../src/env/env-random.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import type { Color } from '../src/env/render/canvas.ts';
import { gridFrame } from '../src/env/render/grid-frame.ts';
import { Box, Discrete } from '../src/env/spaces.ts';

const ENV_ID = 'RepeatFirst-v0';

/** N sequences; see the head of this file. */
export const repeatFirstKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, { numSymbols: 4, length: 16, maxEpisodeSteps: null });
  const { numSymbols, length } = options;
  checkInteger(ENV_ID, 'numSymbols', numSymbols, 2, 256);
  checkInteger(ENV_ID, 'length', length, 1, 10_000);
  const steps = new Int32Array(numEnvs);
  const symbols = new Uint8Array(numEnvs * length); // [numEnvs, length] u8
  const results = stepResults(numEnvs);
  /** What is shown at the episode's last observation stays: nothing follows it. */
  const shownAt = (n: number) => n * length + Math.min(steps[n], length - 1);

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Box(0, 1, [numSymbols + 1]),
    actionSpace: new Discrete(numSymbols),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n, seed) {
      const random = openEnvRandom(seed);
      steps[n] = 0;
      for (let k = n * length; k < (n + 1) * length; k++) symbols[k] = random.integer(numSymbols);
    },
    step(n, actions, offset) {
      results.rewards[n] = actions[offset] === symbols[n * length] ? 1 / length : 0;
      steps[n] += 1;
      results.terminated[n] = steps[n] === length ? 1 : 0;
    },
    writeObservation(n, out, offset) {
      for (let k = 0; k < numSymbols; k++) out[offset + k] = 0;
      out[offset + symbols[shownAt(n)]] = 1;
      out[offset + numSymbols] = steps[n] === 0 ? 1 : 0;
    },
    render: (n) => drawSymbols(symbols.subarray(n * length, (n + 1) * length), steps[n], numSymbols),
    getState: (n) => [steps[n], ...symbols.subarray(n * length, (n + 1) * length)],
    setState(n, state) {
      const [step, ...sequence] = state as number[];
      steps[n] = step;
      symbols.set(sequence, n * length);
    },
  };
};

const BLANK: Color = [222, 222, 214];
const PAST: Color = [150, 160, 190];
const SHOWN: Color = [60, 110, 200];
const FIRST: Color = [230, 180, 60];

/** A row for each symbol, a column for each step; what has not been shown yet stays blank. */
function drawSymbols(symbols: Uint8Array, step: number, numSymbols: number): RgbFrame {
  return gridFrame(
    numSymbols,
    symbols.length,
    (row, column) => {
      if (column > step || symbols[column] !== row) return { color: BLANK };
      return { color: column === 0 ? FIRST : column === step ? SHOWN : PAST };
    },
    16,
  );
}

/** Options in, one sequence out. */
export const repeatFirst = singleFactory(repeatFirstKernel);
/** N sequences in one thread. */
export const repeatFirstVector = vectorFactory(repeatFirstKernel);
