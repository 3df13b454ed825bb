/** Swimmer-v5, HalfCheetah-v5, Hopper-v5 and Walker2d-v5: run forwards in the plane. */
import type { Camera } from '../camera.ts';
import { HALF_CHEETAH, HOPPER, SWIMMER, WALKER_2D } from '../models/planar.ts';
import {
  actionCost,
  beginWithNoise,
  copy,
  type Numbers,
  type Outcome,
  type Step,
  type Task,
} from '../task.ts';

const SIDE: Camera = { follows: 1, lookAt: [0, 0, 0.5], distance: 4.5, azimuth: 90, elevation: -10 };

/** forwardRewardWeight v - ctrlCostWeight |a|^2, and healthyReward as long as the body is healthy, after which the episode may end. */
function judgeRun(step: Step, options: Numbers, isHealthy: boolean, outcome: Outcome): void {
  const forward = options.forwardRewardWeight * step.velocity;
  const alive = isHealthy ? (options.healthyReward ?? 0) : 0;
  outcome.reward = forward + alive - actionCost(options.ctrlCostWeight, step);
  outcome.terminated = !isHealthy;
}

/** Three links in a viscous fluid, from above. */
export const swimmerTask: Task = {
  envId: 'Swimmer-v5',
  xml: SWIMMER,
  frameSkip: 4,
  maxEpisodeSteps: 1000,
  observationSize: 8,
  options: { forwardRewardWeight: 1, ctrlCostWeight: 1e-4, resetNoiseScale: 0.1 },
  camera: { follows: 1, lookAt: [0, 0, 0], distance: 5, azimuth: 90, elevation: -60 },
  begin: beginWithNoise(),
  progress: ({ qpos }) => qpos[0],
  judge: (_arrays, step, options, outcome) => judgeRun(step, options, true, outcome),
  observe: ({ qpos, qvel }, out, offset) => {
    copy(qvel, 0, out, copy(qpos, 2, out, offset));
  },
};

export const halfCheetahTask: Task = {
  envId: 'HalfCheetah-v5',
  xml: HALF_CHEETAH,
  frameSkip: 5,
  maxEpisodeSteps: 1000,
  observationSize: 17,
  options: { forwardRewardWeight: 1, ctrlCostWeight: 0.1, resetNoiseScale: 0.1 },
  camera: { ...SIDE, distance: 3.5 },
  begin: beginWithNoise('normal'),
  progress: ({ qpos }) => qpos[0],
  judge: (_arrays, step, options, outcome) => judgeRun(step, options, true, outcome),
  observe: ({ qpos, qvel }, out, offset) => {
    copy(qvel, 0, out, copy(qpos, 1, out, offset));
  },
};

const within = (x: number, low: number, high: number) => low < x && x < high;

/** What Hopper and Walker2d have in common. */
const upright = {
  frameSkip: 4,
  maxEpisodeSteps: 1000,
  options: { forwardRewardWeight: 1, ctrlCostWeight: 1e-3, healthyReward: 1, resetNoiseScale: 5e-3 },
  camera: { ...SIDE, lookAt: [0, 0, 0.8] },
  begin: beginWithNoise(),
  progress: ({ qpos }) => qpos[0],
  observe: ({ qpos, qvel }, out, offset) => {
    copy(qvel, 0, out, copy(qpos, 1, out, offset), 10);
  },
} satisfies Partial<Task>;

export const hopperTask: Task = {
  ...upright,
  envId: 'Hopper-v5',
  xml: HOPPER,
  observationSize: 11,
  judge({ qpos, qvel }, step, options, outcome) {
    const isHealthy =
      qpos[1] > 0.7 &&
      within(qpos[2], -0.2, 0.2) &&
      qpos.subarray(2).every((x) => within(x, -100, 100)) &&
      qvel.every((x) => within(x, -100, 100));
    judgeRun(step, options, isHealthy, outcome);
  },
};

export const walker2dTask: Task = {
  ...upright,
  envId: 'Walker2d-v5',
  xml: WALKER_2D,
  observationSize: 17,
  judge({ qpos }, step, options, outcome) {
    judgeRun(step, options, within(qpos[1], 0.8, 2) && within(qpos[2], -1, 1), outcome);
  },
};
