/** Plays CartPole in real time with the most probable actions of the weights of the moment. */
import {
  type ActingSpec,
  cartPole,
  createPageActor,
  type KernelModule,
  type PolicyWeights,
} from '../../../browser/index.ts';
import { MAX_EPISODE_STEPS } from './settings.ts';

const STEP_MS = 20; // the environment's time step
const REST_MS = 700; // between an episode's end and the next
const PUSH_MS = 240; // how long an arrow is shown
const PUSH_SPEED = 0.6; // rad/s that a push adds to the pole: what a policy that has just learnt gets over

/** What there is to see at one moment. */
export interface PoleView {
  readonly position: number; // m
  readonly angle: number; // rad, clockwise
  readonly numSteps: number;
  readonly numEpisodes: number;
  readonly opacity: number;
  /** A push that is being shown: its direction, fading to 0. */
  readonly push: number;
}

export interface GreedyPlayer {
  setWeights(weights: PolicyWeights): void;
  /** Pushes the pole: 1 = to the right, -1 = to the left. */
  push(direction: number): void;
  /** Lets `elapsedMs` pass. */
  advance(elapsedMs: number): PoleView;
}

/** @param kernels for unshared memory. Nothing here is random but the episodes' seeds, which count up. */
export function createGreedyPlayer(
  kernels: KernelModule,
  spec: ActingSpec,
  weights: PolicyWeights,
): GreedyPlayer {
  const env = cartPole();
  const actor = createPageActor(kernels, spec, weights, env);
  let observation: unknown;
  const state = () => env.getState?.() as number[]; // [x, xDot, theta, thetaDot]
  let numEpisodes = 0;
  let numSteps = 0;
  let clockMs = 0;
  let restMs = 0;
  let pushMs = 0;
  let pushed = 0;
  let before: number[] = [];
  let now: number[] = [];

  const begin = () => {
    observation = env.reset({ seed: numEpisodes }).observation;
    numEpisodes += 1;
    numSteps = 0;
    clockMs = 0;
    restMs = 0;
    now = state();
    before = now;
  };
  const step = () => {
    const result = env.step(actor.act(observation));
    observation = result.observation;
    numSteps += 1;
    before = now;
    now = state();
    if (result.terminated || numSteps >= MAX_EPISODE_STEPS) restMs = REST_MS;
  };
  begin();
  return {
    setWeights: actor.setWeights,
    push(direction) {
      if (restMs > 0) return;
      const [x, xDot, theta, thetaDot] = now;
      now = [x, xDot, theta, thetaDot + direction * PUSH_SPEED];
      env.setState?.(now);
      observation = Float32Array.from(now);
      pushed = direction;
      pushMs = PUSH_MS;
    },
    advance(elapsedMs) {
      pushMs = Math.max(0, pushMs - elapsedMs);
      if (restMs > 0) {
        restMs -= elapsedMs;
        if (restMs <= 0) begin();
      } else {
        for (clockMs += elapsedMs; clockMs >= STEP_MS && restMs === 0; clockMs -= STEP_MS) step();
      }
      const share = restMs > 0 ? 1 : Math.min(1, clockMs / STEP_MS);
      const between = (k: number) => before[k] + (now[k] - before[k]) * share;
      const opacity = restMs > 0 ? Math.min(1, restMs / REST_MS) : 1;
      const push = (pushed * pushMs) / PUSH_MS;
      return { position: between(0), angle: between(2), numSteps, numEpisodes, opacity, push };
    },
  };
}
