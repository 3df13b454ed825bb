/** Fragments of experience, one after another, while the learner works between them. */

import type { Collected } from '../rollout/runner-group.ts';
import { nextTurn } from '../threads/next-turn.ts';
import type { Exploration } from '../weights/exploration.ts';

/** C = what a fragment is, E = what `publish` takes of how its policy explores: of one agent, or of several. */
export interface FragmentOptions<C extends object = Collected, E = Exploration> {
  readonly system: {
    publish(exploration: E, perturb?: (parameters: Float32Array) => void): number;
    readonly runners: {
      collect(version: number): Promise<C>;
      readonly collectNow: ((version: number) => C) | null;
    };
  };
  /** Environment steps of one fragment, over all rows. */
  readonly numSteps: number;
  /**
   * 0: a fragment is collected with the newest weights, and the learner waits for it. 1: fragment k + 1 is collected with the weights
   * from before the updates that follow fragment k, while these are made. The first fragment of an iteration always has the newest: an
   * iteration begins and ends with nothing in flight.
   */
  readonly lag: number;
  /** How the policy explores in the fragment that begins at this environment step of the run. */
  readonly exploration: (numEnvSteps: number) => E;
  /** Moves the acting parameters of the fragment that begins there: noise of noisy layers. Evaluations act without. */
  readonly perturb?: (parameters: Float32Array, numEnvSteps: number) => void;
}

export interface Fragments<C extends object = Collected> {
  /** Environment steps of one fragment, over all rows. */
  readonly numSteps: number;
  /** Begins an iteration of so many fragments, at this environment step of the run. */
  begin(numFragments: number, numEnvSteps: number): void;
  /**
   * The next fragment: at once where it was made in this thread, else a promise. Its rollout is the caller's until the next call. Every
   * 20 ms it is a promise all the same: the event loop turns, so that signals, timers and messages get through.
   *
   *     const next = fragments.next();
   *     const { rollout } = next instanceof Promise ? await next : next;
   */
  next(): C | Promise<C>;
  /** Whether a fragment of the running iteration has been given out: from then on the state is no longer that of the last one. */
  readonly hasDelivered: boolean;
  /** Milliseconds that `next` took since this was asked last. */
  takeMs(): number;
  /** Resolves when nothing is in flight: after a failure, before the runners are stopped. */
  settle(): Promise<void>;
}

/** How long the event loop may stand still; a turn costs 10 us. */
const TURN_MS = 20;

/** Thread: main. Allocates nothing of its own per fragment without worker threads, but for what `exploration` gives. */
export function createFragments<C extends object = Collected, E = Exploration>(
  options: FragmentOptions<C, E>,
): Fragments<C> {
  const { system, numSteps, lag, exploration, perturb } = options;
  const { runners } = system;
  let pending: C | Promise<C> | null = null;
  let numLeft = 0;
  let nextStep = 0; // environment step at which the next fragment to be collected begins
  let hasDelivered = false;
  let elapsedMs = 0;
  let turnedAt = performance.now();

  const collect = (): C | Promise<C> => {
    const begin = nextStep;
    const move = perturb && ((parameters: Float32Array) => perturb(parameters, begin));
    const version = system.publish(exploration(begin), move);
    nextStep += numSteps;
    numLeft -= 1;
    if (runners.collectNow !== null) return runners.collectNow(version);
    const collecting = runners.collect(version);
    collecting.catch(() => undefined); // awaited by the next call; until then a failure is not unhandled
    return collecting;
  };
  const deliver = (collected: C, startedAt: number): C => {
    pending = lag === 1 && numLeft > 0 ? collect() : null;
    hasDelivered = true;
    elapsedMs += performance.now() - startedAt;
    return collected;
  };
  return {
    numSteps,
    begin(numFragments, numEnvSteps) {
      pending = null;
      numLeft = numFragments;
      nextStep = numEnvSteps;
      hasDelivered = false;
    },
    next() {
      const startedAt = performance.now();
      const collected = pending ?? collect();
      const isDue = startedAt - turnedAt >= TURN_MS;
      if (isDue) turnedAt = startedAt;
      if (!isDue && !(collected instanceof Promise)) return deliver(collected, startedAt);
      const turned = isDue ? nextTurn() : null;
      return Promise.all([collected, turned]).then(([value]) => deliver(value, startedAt));
    },
    get hasDelivered() {
      return hasDelivered;
    },
    takeMs() {
      const taken = elapsedMs;
      elapsedMs = 0;
      return taken;
    },
    async settle() {
      await Promise.resolve(pending).catch(() => undefined);
      pending = null;
    },
  };
}
