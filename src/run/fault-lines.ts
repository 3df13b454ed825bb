/** What became of threads and environments, in a line each. */
import type { WorkerFailureSummary } from '../algorithm/algorithm.ts';
import type { EnvFault, EnvFaultOutcome } from '../env/env-faults.ts';
import { formatValue } from './format-number.ts';

const OUTCOMES: Readonly<Record<EnvFaultOutcome, string>> = {
  repeated: 'a fresh instance repeated the episode and went on',
  'new-episode': 'its episode was cut there, a fresh instance began the next one',
  clipped: 'it was replaced',
  'out-of-bounds': 'it was taken as it is',
  endless: 'it goes on',
};

export function faultLine({ error, outcome }: EnvFault): string {
  return `${error.message}: ${OUTCOMES[outcome]}`;
}

export function failureLine({
  isRecovered,
  seconds,
  numProcessesEnded = 0,
  workerIndex,
  error,
}: WorkerFailureSummary): string {
  const outcome = isRecovered ? `replaced within ${formatValue(seconds)} s` : 'not replaced';
  const ended =
    numProcessesEnded === 0
      ? ''
      : `, ${numProcessesEnded} programs that its environments had started were killed`;
  return `rollout worker ${workerIndex} failed (${error.message}), ${outcome}${ended}`;
}
