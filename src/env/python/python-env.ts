/**
 * Environments in Python: what the ids `gymnasium:`, `envpool:` and `python:` stand for.
 *
 * One Python process hosts the environments of a vector. With `vectorization: 'rows'` (the default) it steps single environments in turn, and every
 * episode begins with its own seed: the same run for any number of workers, and exact resume, as far as the environment draws from its seed alone.
 * With `'vector'` it steps a vector environment of Python's own, which is quicker and promises neither: an episode that is lost with its
 * process, or interrupted by a resume, is cut as truncated and begins anew.
 */
import { ConfigError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { EnvFactory } from '../env.ts';
import type { EnvFault, EnvFaultHandling } from '../env-faults.ts';
import { singleFactory } from '../kernel-env.ts';
import { checkNumEnvs, kernelVectorEnv } from '../kernel-vector-env.ts';
import type { AutoresetMode, StepRows, VectorEnv, VectorEnvFactory } from '../vector-env.ts';
import { RowCommand } from './python-host.ts';
import { createPythonKernel, type PythonKernel } from './python-kernel.ts';
import { readPythonOptions } from './python-options.ts';

/** One environment, which can draw itself where Python's can. */
export const pythonEnv: EnvFactory = (options) => {
  const read = readPythonOptions({ renderMode: 'rgb_array', ...options });
  return singleFactory(() => createPythonKernel(1, read).kernel)();
};

/** N environments in one Python process. @throws ConfigError `CONFIG_PYTHON...`, `CONFIG_ENV_...` */
export const pythonVectorEnv: VectorEnvFactory = (
  numEnvs,
  { autoreset, ...options }: JsonObject = {},
  faults,
) => {
  const mode = (autoreset as AutoresetMode | undefined) ?? 'same-step';
  const read = readPythonOptions(options);
  const handling = faults && tellDeathsOnce(faults);
  const python = createPythonKernel(checkNumEnvs(numEnvs), read, handling);
  try {
    requireMode(read.reference, mode, python.autoresetModes);
    return foreseeing(python, kernelVectorEnv(python.kernel, mode, handling));
  } catch (error) {
    python.kernel.close?.();
    throw error;
  }
};

function requireMode(id: string, mode: AutoresetMode, modes: readonly AutoresetMode[]): void {
  if (modes.includes(mode)) return;
  throw new ConfigError(
    'CONFIG_ENV_AUTORESET',
    `The vector environment of ${id} has the autoreset ${modes.join(', ')} and cannot reset a row by itself, and ${mode} is needed` +
      `${mode === 'same-step' ? ' for training: the step after an end would be learnt from as if it were one' : ''}. Leave \`vectorization\` at 'rows'.`,
  );
}

/** The vector environment of a kernel whose calls are made for all rows beforehand. */
function foreseeing({ kernel, foreseeReset, foreseeStep }: PythonKernel, vector: VectorEnv): VectorEnv {
  const { numEnvs, autoreset } = vector;
  const commands = new Uint8Array(numEnvs); // [numEnvs] u8
  const hasEnded = new Uint8Array(numEnvs).fill(1); // [numEnvs] u8, ended and not reset
  const noteEnds = (out: StepRows) => {
    for (let n = 0; n < numEnvs; n++) {
      const i = out.scalarOffset + n * out.scalarStride;
      hasEnded[n] = autoreset === 'same-step' ? 0 : out.terminated[i] | out.truncated[i];
    }
  };
  return {
    ...vector,
    reset(seeds, out) {
      foreseeReset(null, seeds);
      hasEnded.fill(0);
      vector.reset(seeds, out);
    },
    resetRows(mask, seeds, out) {
      foreseeReset(mask, seeds);
      for (let n = 0; n < numEnvs; n++) if (mask[n] === 1) hasEnded[n] = 0;
      vector.resetRows(mask, seeds, out);
    },
    step(actions, nextSeeds, out) {
      const afterEnd = autoreset === 'next-step' ? RowCommand.RESET : RowCommand.SKIP;
      for (let n = 0; n < numEnvs; n++) commands[n] = hasEnded[n] === 1 ? afterEnd : RowCommand.STEP;
      foreseeStep(commands, actions, nextSeeds, autoreset === 'same-step');
      vector.step(actions, nextSeeds, out);
      if (autoreset !== 'same-step') noteEnds(out);
    },
    ...(kernel.close && { close: kernel.close }),
  };
}

/** A process that dies takes all its rows with it: that they were repeated is told, and counted, once. */
function tellDeathsOnce(faults: EnvFaultHandling): EnvFaultHandling {
  let last: unknown = null;
  return {
    ...faults,
    onFault(fault: EnvFault) {
      const { cause } = fault.error;
      if ((cause as { isDeath?: true } | undefined)?.isDeath === true) {
        const isTold = cause === last;
        last = cause;
        if (isTold && fault.outcome === 'repeated') return;
      }
      faults.onFault(fault);
    },
  };
}
