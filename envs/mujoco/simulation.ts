/**
 * A simulation in MuJoCo's own memory, and the arrays of it that environments read and write.
 *
 * The arrays are views into the WebAssembly heap. When that grows (another environment is made, the engine needs room), all views of it become empty;
 * so they are looked at through {@link Simulation.arrays}, which takes them anew where that has happened. A view must not be kept across a call of the engine.
 */
import type { MjData, MjModel } from '@mujoco/mujoco';
import { mujoco } from './mujoco.ts';

/** Everything that makes the next step and the current observation what they are. */
const NAMES = [
  'qpos', // [nq]
  'qvel', // [nv]
  'ctrl', // [nu]
  'qacc_warmstart', // [nv], where the solver begins
  'xpos', // [nbody, 3]
  'xipos', // [nbody, 3]
  'site_xpos', // [nsite, 3]
  'cinert', // [nbody, 10]
  'cvel', // [nbody, 6]
  'cfrc_ext', // [nbody, 6]
  'qfrc_actuator', // [nv]
  'qfrc_constraint', // [nv]
] as const;

/** Float64 views into MuJoCo's memory, by MuJoCo's names. */
export type Arrays = Record<(typeof NAMES)[number], Float64Array>;

export interface Simulation {
  readonly model: MjModel;
  readonly data: MjData;
  /** Valid until the engine is called next. */
  arrays(): Arrays;
  /** Puts it into a state at rest but for these arrays, which the caller has filled. */
  reset(qpos: ArrayLike<number>, qvel: ArrayLike<number>): void;
  /** Steps `numSteps` times with the controls that stand in `ctrl`, then computes the outer forces. */
  advance(numSteps: number): void;
  getState(): { time: number; arrays: number[][] };
  setState(state: { time: number; arrays: number[][] }): void;
  /** Gives its memory back; it cannot be used any more. */
  free(): void;
}

/** Compiles a model. Whoever calls owns it and has to `delete` it, after all simulations of it. */
export function compileModel(xml: string): MjModel {
  return mujoco.MjModel.from_xml_string(xml);
}

export function createSimulation(model: MjModel): Simulation {
  const data = new mujoco.MjData(model);
  const take = () => Object.fromEntries(NAMES.map((name) => [name, data[name]])) as Arrays;
  let taken = take();
  const arrays = () => {
    if (taken.qpos.length === 0) taken = take();
    return taken;
  };
  return {
    model,
    data,
    arrays,
    reset(qpos, qvel) {
      mujoco.mj_resetData(model, data);
      arrays().qpos.set(qpos);
      taken.qvel.set(qvel);
      mujoco.mj_forward(model, data);
    },
    advance(numSteps) {
      for (let k = 0; k < numSteps; k++) mujoco.mj_step(model, data);
      // `mj_step` leaves `cfrc_ext` as it was.
      mujoco.mj_rnePostConstraint(model, data);
    },
    getState() {
      const now = arrays();
      return { time: data.time, arrays: NAMES.map((name) => [...now[name]]) };
    },
    setState(state) {
      mujoco.mj_resetData(model, data);
      const now = arrays();
      now.qpos.set(state.arrays[0]);
      // What is not among the arrays (frames of geoms, for pictures) follows from qpos; what is gets what it was.
      mujoco.mj_kinematics(model, data);
      const after = arrays();
      NAMES.forEach((name, k) => {
        after[name].set(state.arrays[k]);
      });
      data.time = state.time;
    },
    free: () => data.delete(),
  };
}
