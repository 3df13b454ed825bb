/** How far a run is, by the stop condition that is nearest to being met. */
import type { IterationEvent } from './run-callbacks.ts';
import type { RunConfig } from './start-run.ts';

export interface Progress {
  /** 0 to 1. */
  readonly fraction: number;
  /** Time left at the pace of this process so far; null before there is a pace. */
  readonly secondsLeft: number | null;
}

/** Where this process began: a resumed run's ETA goes by what was done since. */
export interface Origin {
  readonly numEnvSteps: number;
  readonly iteration: number;
}

/** Seconds after which an iteration's pace counts for a third of what it did. */
const MEMORY_SECONDS = 5;

/** Steps per second as a person can read them: each iteration's pace fades with time, so that a pause or a cache does not make the number jump. */
export function createSpeedometer(): (numEnvSteps: number, secondsHere: number) => number | null {
  let before: { readonly numEnvSteps: number; readonly secondsHere: number } | null = null;
  let steps = 0;
  let seconds = 0;
  return (numEnvSteps, secondsHere) => {
    if (before !== null) {
      const passed = secondsHere - before.secondsHere;
      const kept = Math.exp(-passed / MEMORY_SECONDS);
      steps = kept * steps + numEnvSteps - before.numEnvSteps;
      seconds = kept * seconds + passed;
    }
    before = { numEnvSteps, secondsHere };
    return seconds > 0 ? steps / seconds : null;
  };
}

/**
 * Progress towards stopSteps, stopIterations, stopSeconds and stopProcessSeconds, whichever comes first at the present pace; null when
 * none is set. Returns tell no distance.
 */
export function measureProgress(
  event: IterationEvent,
  stopping: RunConfig['stopping'],
  origin: Origin,
): Progress | null {
  const { result, seconds, secondsHere } = event;
  const goals = [
    { now: result.numEnvSteps, before: origin.numEnvSteps, goal: stopping.stopSteps },
    { now: result.iteration, before: origin.iteration, goal: stopping.stopIterations },
    { now: seconds, before: seconds - secondsHere, goal: stopping.stopSeconds },
    { now: secondsHere, before: 0, goal: stopping.stopProcessSeconds },
  ].flatMap(({ now, before, goal }) => {
    if (goal === null) return [];
    const pace = (now - before) / secondsHere;
    const left = Math.max(0, goal - now);
    return [{ fraction: Math.min(1, now / goal), secondsLeft: pace > 0 ? left / pace : null }];
  });
  goals.sort(
    (a, b) => (a.secondsLeft ?? Number.POSITIVE_INFINITY) - (b.secondsLeft ?? Number.POSITIVE_INFINITY),
  );
  return goals[0] ?? null;
}
