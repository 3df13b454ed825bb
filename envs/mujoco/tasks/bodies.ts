/** Ant-v5, Humanoid-v5 and HumanoidStandup-v5: bodies that move freely in space. */
import { ANT } from '../models/ant.ts';
import { HUMANOID, HUMANOID_STANDUP } from '../models/humanoids.ts';
import type { Simulation } from '../simulation.ts';
import { actionCost, beginWithNoise, clip, copy, type Task } from '../task.ts';

/** Numbers of the world's own body come first in arrays by body, and are left out of observations. */
const PER_FORCE = 6;
const PER_INERTIA = 10;

function sumOfSquares(values: Float64Array, bound = Infinity): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += clip(values[k], bound) * clip(values[k], bound);
  return sum;
}

export const antTask: Task = {
  envId: 'Ant-v5',
  xml: ANT,
  frameSkip: 5,
  maxEpisodeSteps: 1000,
  observationSize: 105,
  options: {
    forwardRewardWeight: 1,
    ctrlCostWeight: 0.5,
    contactCostWeight: 5e-4,
    healthyReward: 1,
    resetNoiseScale: 0.1,
  },
  camera: { follows: 1, lookAt: [0, 0, 0.4], distance: 4.5, azimuth: 120, elevation: -20 },
  begin: beginWithNoise('normal'),
  /** Of the torso as the engine last placed it, which is a step behind `qpos`; as in Gymnasium. */
  progress: ({ xpos }) => xpos[3],
  judge({ qpos, qvel, cfrc_ext }, step, options, outcome) {
    const isHealthy =
      qpos.every(Number.isFinite) && qvel.every(Number.isFinite) && qpos[2] >= 0.2 && qpos[2] <= 1;
    const gain = step.velocity * options.forwardRewardWeight + (isHealthy ? options.healthyReward : 0);
    const contact = options.contactCostWeight * sumOfSquares(cfrc_ext, 1);
    outcome.reward = gain - (actionCost(options.ctrlCostWeight, step) + contact);
    outcome.terminated = !isHealthy;
  },
  observe({ qpos, qvel, cfrc_ext }, out, offset) {
    const at = copy(qvel, 0, out, copy(qpos, 2, out, offset));
    copy(cfrc_ext, PER_FORCE, out, at, 1);
  },
};

const humanoid = {
  frameSkip: 5,
  maxEpisodeSteps: 1000,
  observationSize: 348,
  begin: beginWithNoise(),
  observe({ qpos, qvel, cinert, cvel, qfrc_actuator, cfrc_ext }, out, offset) {
    let at = copy(qpos, 2, out, offset);
    at = copy(qvel, 0, out, at);
    at = copy(cinert, PER_INERTIA, out, at);
    at = copy(cvel, PER_FORCE, out, at);
    at = copy(qfrc_actuator, 6, out, at);
    copy(cfrc_ext, PER_FORCE, out, at);
  },
} satisfies Partial<Task>;

/** x of the centre of mass. */
function massCentre({ xipos }: { readonly xipos: Float64Array }, { model }: Simulation): number {
  const mass = model.body_mass as Float64Array; // [nbody]
  let moment = 0;
  let total = 0;
  for (let k = 0; k < mass.length; k++) {
    moment += mass[k] * xipos[3 * k];
    total += mass[k];
  }
  return moment / total;
}

export const humanoidTask: Task = {
  ...humanoid,
  envId: 'Humanoid-v5',
  xml: HUMANOID,
  options: {
    forwardRewardWeight: 1.25,
    ctrlCostWeight: 0.1,
    contactCostWeight: 5e-7,
    healthyReward: 5,
    resetNoiseScale: 0.01,
  },
  camera: { follows: 1, lookAt: [0, 0, 1], distance: 4.5, azimuth: 120, elevation: -12 },
  progress: massCentre,
  judge({ qpos, ctrl, cfrc_ext }, step, options, outcome) {
    const isHealthy = 1 < qpos[2] && qpos[2] < 2;
    const gain = options.forwardRewardWeight * step.velocity + (isHealthy ? options.healthyReward : 0);
    const contact = Math.min(10, options.contactCostWeight * sumOfSquares(cfrc_ext));
    outcome.reward = gain - (options.ctrlCostWeight * sumOfSquares(ctrl) + contact);
    outcome.terminated = !isHealthy;
  },
};

/** Stand up: the height per step of the engine, less what the controls and impacts cost. It never ends by itself. */
export const humanoidStandupTask: Task = {
  ...humanoid,
  envId: 'HumanoidStandup-v5',
  xml: HUMANOID_STANDUP,
  options: { ctrlCostWeight: 0.1, impactCostWeight: 0.5e-6, resetNoiseScale: 0.01 },
  camera: { follows: 1, lookAt: [0, 0, 0.6], distance: 4.5, azimuth: 120, elevation: -20 },
  judge({ qpos, ctrl, cfrc_ext }, step, options, outcome) {
    const impact = Math.min(10, options.impactCostWeight * sumOfSquares(cfrc_ext));
    outcome.reward = qpos[2] / step.timestep - options.ctrlCostWeight * sumOfSquares(ctrl) - impact + 1;
    outcome.terminated = false;
  },
};
