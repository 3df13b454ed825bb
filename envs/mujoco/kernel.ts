/** N simulations of one of MuJoCo's tasks in a thread: one model for all, data and views of its own for each. */
import { type EnvKernel, type EnvKernelFactory, stepResults } from '../../src/env/env-kernel.ts';
import { readEnvOptions } from '../../src/env/env-options.ts';
import { envRandomOpener } from '../../src/env/env-random-opener.ts';
import { Box } from '../../src/env/spaces.ts';
import type { JsonObject } from '../../src/json.ts';
import { drawSimulation } from './draw-simulation.ts';
import { compileModel, createSimulation } from './simulation.ts';
import type { Numbers, Outcome, Step, Task } from './task.ts';

/** The kernel factory of a task. */
export function mujocoKernel(task: Task): EnvKernelFactory {
  return (numEnvs, given) => {
    const options = readEnvOptions(task.envId, given, {
      ...task.options,
      maxEpisodeSteps: task.maxEpisodeSteps,
      resetRng: 'operant',
    } as JsonObject) as Numbers & { readonly maxEpisodeSteps: number | null; readonly resetRng: string };
    return createKernel(task, numEnvs, options);
  };
}

function createKernel(
  task: Task,
  numEnvs: number,
  options: Numbers & { readonly maxEpisodeSteps: number | null; readonly resetRng: string },
): EnvKernel {
  const openRandom = envRandomOpener(task.envId, options.resetRng);
  const model = compileModel(task.xml);
  const simulations = Array.from({ length: numEnvs }, () => createSimulation(model));
  const actionSize = model.nu;
  const timestep = model.opt.timestep;
  const range = Float64Array.from(model.actuator_ctrlrange as Float64Array); // [nu, 2]
  const startQpos = Float64Array.from(model.qpos0 as Float64Array);
  const qpos = new Float64Array(model.nq);
  const qvel = new Float64Array(model.nv);
  const results = stepResults(numEnvs);
  const outcome: Outcome = { reward: 0, terminated: false };
  const step: { -readonly [K in keyof Step]: Step[K] } = {
    velocity: 0,
    actions: new Float32Array(actionSize),
    offset: 0,
    actionSize,
    timestep,
  };
  const progressOf = (n: number) => task.progress?.(simulations[n].arrays(), simulations[n]) ?? 0;

  return {
    envId: task.envId,
    numEnvs,
    observationSpace: new Box(-Infinity, Infinity, [task.observationSize]),
    actionSpace: new Box(
      Array.from({ length: actionSize }, (_, k) => range[2 * k]),
      Array.from({ length: actionSize }, (_, k) => range[2 * k + 1]),
    ),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n, seed) {
      qpos.set(startQpos);
      qvel.fill(0);
      task.begin(qpos, qvel, openRandom(seed), options);
      simulations[n].reset(qpos, qvel);
    },
    step(n, actions, offset) {
      const before = progressOf(n);
      const { ctrl } = simulations[n].arrays();
      for (let k = 0; k < actionSize; k++) ctrl[k] = actions[offset + k];
      simulations[n].advance(task.frameSkip);
      step.velocity = (progressOf(n) - before) / (timestep * task.frameSkip);
      step.actions = actions;
      step.offset = offset;
      task.judge(simulations[n].arrays(), step, options, outcome);
      results.rewards[n] = outcome.reward;
      results.terminated[n] = outcome.terminated ? 1 : 0;
    },
    writeObservation: (n, out, offset) => task.observe(simulations[n].arrays(), out, offset),
    getState: (n) => simulations[n].getState(),
    setState: (n, state) => simulations[n].setState(state as unknown as { time: number; arrays: number[][] }),
    render: (n) => drawSimulation(simulations[n], task.camera),
    close() {
      for (const simulation of simulations.splice(0)) simulation.free();
      model.delete();
    },
  };
}
