/** The two faces of a kernel: a vector environment, and a single one for evaluation, rendering and checks. */
import { EnvError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Env, EnvFactory, StepResult } from './env.ts';
import type { EnvKernel, EnvKernelFactory } from './env-kernel.ts';
import { actionMaskSize, flatActionSize, flattenAction, hasFloatActions } from './flatten-action.ts';
import { flattenObservationSpace, unflattenObservation } from './flatten-space.ts';
import { goalFunctions } from './goal-functions.ts';
import { checkNumEnvs, kernelVectorEnv } from './kernel-vector-env.ts';
import type { ActionArray, AutoresetMode, ObservationArray, VectorEnvFactory } from './vector-env.ts';

/** The vector factory of a kernel; its options have `autoreset` beside the kernel's own. */
export function vectorFactory(createKernel: EnvKernelFactory): VectorEnvFactory {
  return (numEnvs, options = {}) => {
    const { autoreset, ...rest } = options;
    const kernel = createKernel(checkNumEnvs(numEnvs), rest as JsonObject);
    return kernelVectorEnv(kernel, (autoreset as AutoresetMode | undefined) ?? 'same-step');
  };
}

/** The factory of single environments of a kernel. Rewards keep their float64 digits. */
export function singleFactory(createKernel: EnvKernelFactory): EnvFactory {
  return (options) => singleEnv(createKernel(1, options));
}

function singleEnv(kernel: EnvKernel): Env {
  const { observationSpace, actionSpace } = kernel;
  const flat = flattenObservationSpace(observationSpace);
  const row: ObservationArray =
    flat.dtype === 'uint8' ? new Uint8Array(flat.size) : new Float32Array(flat.size);
  const actionSize = flatActionSize(actionSpace);
  const action: ActionArray = hasFloatActions(actionSpace)
    ? new Float32Array(actionSize)
    : new Int32Array(actionSize);
  const maskSize = kernel.masksActions ? actionMaskSize(actionSpace) : 0;
  let isRunning = false;

  const observe = () => {
    kernel.writeObservation(0, row, 0);
    return unflattenObservation(observationSpace, row);
  };
  const info = () => {
    const metrics: Record<string, number> = {};
    kernel.reportMetrics?.(0, (_, name, value) => {
      metrics[name] = value;
    });
    const actionMask = new Uint8Array(maskSize);
    kernel.writeMask?.(0, actionMask, 0);
    return {
      ...(maskSize > 0 && { actionMask }),
      ...(Object.keys(metrics).length > 0 && { metrics }),
    };
  };
  return {
    observationSpace,
    actionSpace,
    ...(kernel.masksActions && { masksActions: true }),
    ...(kernel.maxEpisodeSteps !== null && { maxEpisodeSteps: kernel.maxEpisodeSteps }),
    ...(kernel.frameStack && { frameStack: kernel.frameStack }),
    reset({ seed } = {}) {
      kernel.reset(0, seed ?? 0);
      isRunning = true;
      return { observation: observe(), info: info() };
    },
    step(given): StepResult {
      if (!isRunning)
        throw new EnvError('ENV_STEP_AFTER_END', 'Expected reset before the first step and after an end.');
      flattenAction(actionSpace, given, action, 0);
      kernel.step(0, action, 0);
      isRunning = (kernel.terminated[0] | kernel.truncated[0]) === 0;
      return {
        observation: observe(),
        reward: kernel.rewards[0],
        terminated: kernel.terminated[0] === 1,
        truncated: kernel.truncated[0] === 1,
        info: info(),
      };
    },
    ...goalFunctions(kernel),
    ...stateFunctions(kernel, () => {
      isRunning = true;
    }),
    ...(kernel.render && { render: (mode) => renderFirst(kernel, mode) }),
    ...(kernel.close && { close: () => kernel.close?.() }),
  };
}

function stateFunctions(kernel: EnvKernel, onSet: () => void): Pick<Env, 'getState' | 'setState'> {
  if (!kernel.getState || !kernel.setState) return {};
  return {
    getState: () => kernel.getState?.(0) ?? null,
    setState: (state) => {
      kernel.setState?.(0, state);
      onSet();
    },
  };
}

function renderFirst(kernel: EnvKernel, mode?: 'rgb' | 'ansi') {
  if (kernel.render) return kernel.render(0, mode);
  throw new EnvError('ENV_RENDER', `${kernel.envId} has no picture.`);
}
