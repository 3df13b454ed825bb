/**
 * MuJoCo's eleven tasks, version 5: InvertedPendulum, InvertedDoublePendulum, Reacher, Pusher, Swimmer, HalfCheetah, Hopper, Walker2d, Ant, Humanoid, HumanoidStandup.
 *
 * ## Description
 * Gymnasium's tasks, simulated by MuJoCo itself: its official WebAssembly build (`npm install @mujoco/mujoco@3.14.0`). Reset, observations, rewards and
 * ends are Gymnasium's, step by step, to 1e-9 and less; what is chaotic parts in the course of some hundred steps. Each thread has an engine of its own
 * (what it costs: `mujoco/mujoco.ts`).
 *
 * ## Action Space
 * `Box` float32, one number a motor, in the range that the model gives it (Humanoids -0.4 to 0.4, Pusher -2 to 2, InvertedPendulum -3 to 3, all others -1 to 1).
 *
 * ## Observation Space
 * `Box` float32 without bounds: positions, then velocities, without the coordinates along which the body moves on; Hopper, Walker2d and InvertedDoublePendulum clip velocities to
 * [-10, 10]; Ant adds the outer forces on each body, clipped to [-1, 1], the Humanoids inertias, velocities, motor torques and outer forces. Arms: angles, velocities and the places of hand, object
 * and target.
 *
 * ## Rewards
 * Runners: metres per second forwards, plus 1 (Humanoid: 5) while healthy, less the weighted squares of the actions (Ant, Humanoid: and of the outer forces). The others: see `mujoco/tasks`.
 *
 * ## Starting State
 * The model's, with uniform noise of `resetNoiseScale`; velocities are normal in HalfCheetah, Ant and InvertedDoublePendulum.
 *
 * ## Episode End
 * Terminated when the body is no longer healthy (too low, too high, tilted), or the pendulum has fallen; the others only truncated: Reacher after 50 steps, Pusher after 100,
 * all others after 1000.
 *
 * ## Options
 * The weights of the reward (`forwardRewardWeight`, `ctrlCostWeight`, `healthyReward`, `contactCostWeight`, ...) and `resetNoiseScale`, where Gymnasium's have them;
 * `maxEpisodeSteps` (null = none), `resetRng` (`operant`; `numpy` draws what Gymnasium draws).
 *
 * State for `setState`: `{ time, arrays }`, the arrays of the simulation that make the next step.
 */
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { mujocoKernel } from './mujoco/kernel.ts';
import { pusherTask, reacherTask } from './mujoco/tasks/arms.ts';
import { antTask, humanoidStandupTask, humanoidTask } from './mujoco/tasks/bodies.ts';
import { invertedDoublePendulumTask, invertedPendulumTask } from './mujoco/tasks/pendulums.ts';
import { halfCheetahTask, hopperTask, swimmerTask, walker2dTask } from './mujoco/tasks/planar.ts';

export const invertedPendulumKernel = mujocoKernel(invertedPendulumTask);
export const invertedDoublePendulumKernel = mujocoKernel(invertedDoublePendulumTask);
export const reacherKernel = mujocoKernel(reacherTask);
export const pusherKernel = mujocoKernel(pusherTask);
export const swimmerKernel = mujocoKernel(swimmerTask);
export const halfCheetahKernel = mujocoKernel(halfCheetahTask);
export const hopperKernel = mujocoKernel(hopperTask);
export const walker2dKernel = mujocoKernel(walker2dTask);
export const antKernel = mujocoKernel(antTask);
export const humanoidKernel = mujocoKernel(humanoidTask);
export const humanoidStandupKernel = mujocoKernel(humanoidStandupTask);

export const invertedPendulum = singleFactory(invertedPendulumKernel);
export const invertedPendulumVector = vectorFactory(invertedPendulumKernel);
export const invertedDoublePendulum = singleFactory(invertedDoublePendulumKernel);
export const invertedDoublePendulumVector = vectorFactory(invertedDoublePendulumKernel);
export const reacher = singleFactory(reacherKernel);
export const reacherVector = vectorFactory(reacherKernel);
export const pusher = singleFactory(pusherKernel);
export const pusherVector = vectorFactory(pusherKernel);
export const swimmer = singleFactory(swimmerKernel);
export const swimmerVector = vectorFactory(swimmerKernel);
export const halfCheetah = singleFactory(halfCheetahKernel);
export const halfCheetahVector = vectorFactory(halfCheetahKernel);
export const hopper = singleFactory(hopperKernel);
export const hopperVector = vectorFactory(hopperKernel);
export const walker2d = singleFactory(walker2dKernel);
export const walker2dVector = vectorFactory(walker2dKernel);
export const ant = singleFactory(antKernel);
export const antVector = vectorFactory(antKernel);
export const humanoid = singleFactory(humanoidKernel);
export const humanoidVector = vectorFactory(humanoidKernel);
export const humanoidStandup = singleFactory(humanoidStandupKernel);
export const humanoidStandupVector = vectorFactory(humanoidStandupKernel);
