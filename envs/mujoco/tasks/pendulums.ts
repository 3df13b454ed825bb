/** InvertedPendulum-v5 and InvertedDoublePendulum-v5. */
import type { Camera } from '../camera.ts';
import { INVERTED_DOUBLE_PENDULUM, INVERTED_PENDULUM } from '../models/pendulums.ts';
import { beginWithNoise, clip, copy, type Task } from '../task.ts';

const CAMERA: Camera = { follows: null, lookAt: [0, 0, 0.2], distance: 2.6, azimuth: 90, elevation: -15 };

/** Keep a pole upright on a cart: 1 for every step that ends with |angle| <= 0.2. */
export const invertedPendulumTask: Task = {
  envId: 'InvertedPendulum-v5',
  xml: INVERTED_PENDULUM,
  frameSkip: 2,
  maxEpisodeSteps: 1000,
  observationSize: 4,
  options: { resetNoiseScale: 0.01 },
  camera: CAMERA,
  begin: beginWithNoise(),
  judge({ qpos, qvel }, _step, _options, outcome) {
    const isSound = [...qpos, ...qvel].every(Number.isFinite);
    outcome.terminated = !isSound || Math.abs(qpos[1]) > 0.2;
    outcome.reward = outcome.terminated ? 0 : 1;
  },
  observe: ({ qpos, qvel }, out, offset) => {
    copy(qvel, 0, out, copy(qpos, 0, out, offset));
  },
};

/**
 * Two poles, one on the other: 10 for every step in which the tip stays above 1 m, less 0.01 x^2 + (y - 2)^2 of the tip and
 * 1e-3 v1^2 + 5e-3 v2^2 of the hinges.
 */
export const invertedDoublePendulumTask: Task = {
  envId: 'InvertedDoublePendulum-v5',
  xml: INVERTED_DOUBLE_PENDULUM,
  frameSkip: 5,
  maxEpisodeSteps: 1000,
  observationSize: 9,
  options: { healthyReward: 10, resetNoiseScale: 0.1 },
  camera: { ...CAMERA, lookAt: [0, 0, 0.4], distance: 3.6 },
  begin: beginWithNoise('normal'),
  judge({ site_xpos, qvel }, _step, { healthyReward }, outcome) {
    const [x, , y] = site_xpos;
    outcome.terminated = y <= 1;
    const distance = 0.01 * (x * x) + (y - 2) * (y - 2);
    const speed = 1e-3 * (qvel[1] * qvel[1]) + 5e-3 * (qvel[2] * qvel[2]);
    outcome.reward = (outcome.terminated ? 0 : healthyReward) - distance - speed;
  },
  observe({ qpos, qvel, qfrc_constraint }, out, offset) {
    out[offset] = qpos[0];
    for (let k = 1; k < 3; k++) {
      out[offset + k] = Math.sin(qpos[k]);
      out[offset + 2 + k] = Math.cos(qpos[k]);
    }
    const at = copy(qvel, 0, out, offset + 5, 10);
    out[at] = clip(qfrc_constraint[0], 10);
  },
};
