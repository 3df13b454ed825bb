/** Reacher-v5 and Pusher-v5. */
import { PUSHER, REACHER } from '../models/arms.ts';
import { actionCost, copy, type Out, type Task } from '../task.ts';

/** Bodies in the order of the models. */
const REACHER_FINGERTIP = 3;
const REACHER_TARGET = 4;
const PUSHER_TIPS = 10;
const PUSHER_OBJECT = 11;
const PUSHER_GOAL = 12;

function distance(xpos: Float64Array, a: number, b: number): number {
  const [dx, dy, dz] = [0, 1, 2].map((k) => xpos[3 * a + k] - xpos[3 * b + k]);
  return Math.sqrt(dx * dx + dy * dy + dz * dz);
}

/** Bring the tip of a two-link arm to a target: -distance - the sum of the squared actions. */
export const reacherTask: Task = {
  envId: 'Reacher-v5',
  xml: REACHER,
  frameSkip: 2,
  maxEpisodeSteps: 50,
  observationSize: 10,
  options: { rewardDistWeight: 1, rewardControlWeight: 1 },
  camera: { follows: null, lookAt: [0, 0, 0], distance: 0.85, azimuth: 90, elevation: -70 },
  begin(qpos, qvel, random) {
    for (let k = 0; k < 4; k++) qpos[k] += random.uniform(-0.1, 0.1);
    do {
      qpos[2] = random.uniform(-0.2, 0.2);
      qpos[3] = random.uniform(-0.2, 0.2);
    } while (Math.sqrt(qpos[2] * qpos[2] + qpos[3] * qpos[3]) >= 0.2);
    for (let k = 0; k < 4; k++) qvel[k] += random.uniform(-0.005, 0.005);
    qvel.fill(0, 2);
  },
  judge({ xpos }, step, { rewardDistWeight, rewardControlWeight }, outcome) {
    const far = distance(xpos, REACHER_FINGERTIP, REACHER_TARGET);
    outcome.reward = -far * rewardDistWeight - actionCost(rewardControlWeight, step);
    outcome.terminated = false;
  },
  observe({ qpos, qvel, xpos }, out, offset) {
    for (let k = 0; k < 2; k++) {
      out[offset + k] = Math.cos(qpos[k]);
      out[offset + 2 + k] = Math.sin(qpos[k]);
      out[offset + 4 + k] = qpos[2 + k];
      out[offset + 6 + k] = qvel[k];
      out[offset + 8 + k] = xpos[3 * REACHER_FINGERTIP + k] - xpos[3 * REACHER_TARGET + k];
    }
  },
};

/** Push an object to a goal with an arm of seven joints: -distance to the goal - half the distance to the hand - 0.1 times the squared actions. */
export const pusherTask: Task = {
  envId: 'Pusher-v5',
  xml: PUSHER,
  frameSkip: 5,
  maxEpisodeSteps: 100,
  observationSize: 23,
  options: { rewardNearWeight: 0.5, rewardDistWeight: 1, rewardControlWeight: 0.1 },
  camera: { follows: null, lookAt: [0.3, -0.2, -0.2], distance: 2.6, azimuth: 150, elevation: -35 },
  begin(qpos, qvel, random) {
    do {
      qpos[7] = random.uniform(-0.3, 0);
      qpos[8] = random.uniform(-0.2, 0.2);
    } while (Math.sqrt(qpos[7] * qpos[7] + qpos[8] * qpos[8]) <= 0.17);
    qpos.fill(0, 9);
    for (let k = 0; k < qvel.length; k++) qvel[k] += random.uniform(-0.005, 0.005);
    qvel.fill(0, 7);
  },
  judge({ xpos }, step, { rewardNearWeight, rewardDistWeight, rewardControlWeight }, outcome) {
    const near = -distance(xpos, PUSHER_OBJECT, PUSHER_TIPS) * rewardNearWeight;
    const far = -distance(xpos, PUSHER_OBJECT, PUSHER_GOAL) * rewardDistWeight;
    outcome.reward = far - actionCost(rewardControlWeight, step) + near;
    outcome.terminated = false;
  },
  observe({ qpos, qvel, xpos }, out: Out, offset) {
    let at = copy(qpos.subarray(0, 7), 0, out, offset);
    at = copy(qvel.subarray(0, 7), 0, out, at);
    copy(xpos.subarray(3 * PUSHER_TIPS, 3 * PUSHER_GOAL + 3), 0, out, at);
  },
};
