/** How far a run is, by the stop condition that is nearest to being met. */
import type { IterationEvent } from '../run/run-callbacks.ts';
import type { RunConfig } from '../run/start-run.ts';

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
