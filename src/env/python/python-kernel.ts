/**
 * N environments in Python as a kernel: one call steps them all beforehand, and what the vector environment then asks of each is answered from
 * that. What was not foreseen (an episode led back to where it was, a fresh instance) is a call of its own.
 */
import type { EnvError } from '../../errors.ts';
import type { EnvFaultHandling } from '../env-faults.ts';
import { type EnvKernel, stepResults } from '../env-kernel.ts';
import { flatBound } from '../flatten-space.ts';
import type { Space } from '../spaces.ts';
import { checkRow, finiteReward } from '../user-results.ts';
import type { ActionArray, AutoresetMode, ObservationArray } from '../vector-env.ts';
import { findPython } from './find-python.ts';
import {
  createRows,
  type ForeseenRows,
  repeatAlone,
  replaceHost,
  resetAlone,
  resetForeseen,
  stepAlone,
  stepForeseen,
  throwOnce,
} from './foreseen-rows.ts';
import { RowEnd, startHost } from './python-host.ts';
import type { PythonOptions } from './python-options.ts';
import { readPicture } from './python-picture.ts';

export interface PythonKernel {
  readonly kernel: EnvKernel;
  readonly autoresetModes: readonly AutoresetMode[];
  /** Resets rows with `mask[n]` 1 in one call; `kernel.reset` then takes the results. */
  foreseeReset(mask: Uint8Array | null, seeds: Uint32Array): void;
  /**
   * Steps rows in one call; `kernel.step`, and `kernel.reset` where an episode ended, then take the results.
   *
   * @param commands RowCommand of each row.
   */
  foreseeStep(commands: Uint8Array, actions: ActionArray, nextSeeds: Uint32Array, resets: boolean): void;
}

/** @param faults what becomes of numbers that are not finite; absent = they are errors. */
export function createPythonKernel(
  numEnvs: number,
  options: PythonOptions,
  faults?: EnvFaultHandling,
): PythonKernel {
  const start = () => startHost(findPython(options.python), options, numEnvs);
  const state = createRows(start(), numEnvs);
  const { description } = state.host;
  const { observationSpace, actionSpace, isRepeatable, maskSize } = description;
  const numbers = createNumberCheck(observationSpace, faults?.nonFinite === 'clip');
  const actionSize = state.host.actions.length / numEnvs;
  const results = stepResults(numEnvs);
  const take = (n: number) => {
    const end = state.results.ends[n];
    results.rewards[n] = numbers.reward(state.results.rewards[n]);
    results.terminated[n] = end & RowEnd.TERMINATED;
    results.truncated[n] = (end & RowEnd.TRUNCATED) >> 1;
    state.isFinal[n] = end === 0 ? 0 : 1;
  };
  const takeStep = (n: number) => {
    state.hasStep[n] = 0;
    throwOnce(state.stepErrors, n);
    take(n);
  };
  const kernel: EnvKernel = {
    envId: options.reference,
    numEnvs,
    observationSpace,
    actionSpace,
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: maskSize > 0,
    ...(description.frameStack !== null && { frameStack: description.frameStack }),
    ...results,
    isRepeatable,
    reset(n, seed) {
      if (state.hasReset[n] === 0 || state.resetSeeds[n] !== seed) resetAlone(state, n, seed);
      state.hasReset[n] = 0;
      state.isFinal[n] = 0;
      throwOnce(state.resetErrors, n);
    },
    step(n, actions, offset) {
      if (state.hasStep[n] === 0) stepAlone(state, n, actions.subarray(offset, offset + actionSize));
      takeStep(n);
    },
    ...(isRepeatable && {
      repeat(n: number, actions: ActionArray, numSteps: number) {
        const count = repeatAlone(state, n, actions, numSteps);
        takeStep(n);
        return count;
      },
    }),
    writeObservation(n, out, offset) {
      state.host.copyRow(n, state.isFinal[n] === 1, out, offset);
      numbers.checkRow(out, offset);
    },
    writeMask(n, out, offset) {
      for (let k = 0; k < maskSize; k++) out[offset + k] = state.host.masks[n * maskSize + k];
    },
    reportMetrics: (n, onMetric) => reportMetrics(state, n, onMetric),
    rebuild(n) {
      if (!state.host.process.isAlive()) replaceHost(state, start());
      else state.needsRebuild[n] = 1;
      state.hasReset[n] = 0;
      state.hasStep[n] = 0;
    },
    ...(description.renderMode !== null && { render: (n) => readPicture(state.host.render(n)) }),
    clipped: numbers.clipped,
    outside: numbers.outside,
    close: () => state.host.process.close(),
  };
  return {
    kernel,
    autoresetModes: description.autoresetModes,
    foreseeReset: (mask, seeds) => resetForeseen(state, start, mask, seeds),
    foreseeStep: (commands, actions, seeds, resets) => stepForeseen(state, commands, actions, seeds, resets),
  };
}

/** Numbers that are not finite, as `nonFinite` says, and those out of bounds; bytes are all within theirs. */
function createNumberCheck(space: Space, isClipped: boolean) {
  const bounds = {
    low: Float32Array.from(flatBound(space, 'low')),
    high: Float32Array.from(flatBound(space, 'high')),
  };
  const isBytes = space.kind === 'box' && space.dtype === 'uint8';
  const clipped: EnvError[] = [];
  const outside = { element: -1, value: 0 };
  return {
    clipped,
    outside,
    reward: (reward: number) => finiteReward(reward, isClipped, clipped),
    checkRow(out: ObservationArray, offset: number) {
      if (!isBytes) checkRow(bounds, out, offset, isClipped, clipped, outside);
    },
  };
}

/** Those of an answer come in the order of rows, and are asked for in it. */
function reportMetrics(
  state: ForeseenRows,
  n: number,
  onMetric: (n: number, name: string, value: number) => void,
): void {
  const { host, metrics, numElements } = state;
  let k = state.numTold;
  for (; k < numElements && metrics[k] <= n; k += 3)
    if (metrics[k] === n) onMetric(n, host.nameOf(metrics[k + 1]), metrics[k + 2]);
  state.numTold = k;
}
