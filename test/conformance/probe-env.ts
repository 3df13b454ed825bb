/**
 * The environment of the conformance suite: the observation says what the best action is, in episodes of 8 independent steps. Learnt in
 * seconds, and slow or deadly when asked.
 */
import type { Env } from '../../src/env/env.ts';
import { Box, Discrete } from '../../src/env/spaces.ts';
import { openStream } from '../../src/random/streams.ts';
import { isFirst } from '../first-by-file.ts';

export const PROBE_STEPS = 8;

export interface ProbeOptions {
  /** `discrete`: one of 4, reward 1 for the right one. `continuous`: two numbers in [-2, 2], reward -|action - target|^2. */
  readonly actions: 'discrete' | 'continuous';
  /** Multiplies rewards. */
  readonly scale?: number;
  /** Multiplies observations, whose space stays. */
  readonly observationScale?: number;
  /** Every step takes up to this long, by the clock's whim. */
  readonly busyMs?: number;
  /** Ends the thread in the 3rd step of an episode, once: whoever makes this file does it. */
  readonly exitFile?: string;
}

export default ({ actions, scale = 1, observationScale = 1, busyMs = 0, exitFile }: ProbeOptions): Env => {
  let random = openStream(0, 'probe');
  let step = 0;
  let targets: number[] = [];
  const draw = () => {
    targets =
      actions === 'discrete' ? [random.integer(4)] : [2 * random.uniform() - 1, 2 * random.uniform() - 1];
    const observation =
      actions === 'discrete' ? [0, 1, 2, 3].map((k) => (k === targets[0] ? 1 : 0)) : targets;
    return observation.map((value) => observationScale * value);
  };
  const score = (action: unknown): number => {
    if (actions === 'discrete') return action === targets[0] ? 1 : 0;
    const [x, y] = action as Float32Array;
    return -((x - targets[0]) ** 2) - (y - targets[1]) ** 2;
  };
  return {
    observationSpace: actions === 'discrete' ? new Box(0, 1, [4]) : new Box(-1, 1, [2]),
    actionSpace: actions === 'discrete' ? new Discrete(4) : new Box(-2, 2, [2]),
    reset({ seed = 0 } = {}) {
      random = openStream(seed, 'probe');
      step = 0;
      return { observation: draw() };
    },
    step(action) {
      step += 1;
      const end = performance.now() + busyMs * Math.random(); // real time on purpose: it must not matter
      while (performance.now() < end);
      if (exitFile !== undefined && step === 3 && isFirst(exitFile)) process.exit(3);
      const reward = scale * score(action);
      return { observation: draw(), reward, terminated: step === PROBE_STEPS, truncated: false };
    },
  };
};
