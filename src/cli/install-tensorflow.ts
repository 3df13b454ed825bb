/** `operant install-tensorflow`: flags, output and exit code around the installer. */
import { parseArgs } from 'node:util';
import { isOperantError } from '../errors.ts';
import {
  DEFAULT_TENSORFLOW_VERSION,
  installTensorFlow,
} from '../learner/tensorflow/install/install-tensorflow.ts';

const USAGE = `Usage: operant install-tensorflow [--cpu | --gpu] [--version X] [--from WHEEL|DIR]

Gets TensorFlow's shared libraries from its Python wheel and builds the native binding against them, in a cache folder of
yours that survives \`npm ci\`. Needs Python's pip and a C++ compiler. Safe to repeat and to interrupt.

  --cpu            libraries without CUDA (270 MB download)
  --gpu            with the CUDA 12 libraries (about 3 GB); default where an NVIDIA driver is found
  --version X      TensorFlow's version (default ${DEFAULT_TENSORFLOW_VERSION})
  --from PATH      a wheel, or the folder of an installed TensorFlow, instead of a download

The folder: OPERANT_TENSORFLOW_HOME, else operant/tensorflow in the platform's cache folder.`;

/** @returns the exit code: 0 done, 1 failure, 2 bad usage. Progress goes to stderr. */
export async function runInstallTensorFlow(argv: string[]): Promise<number> {
  const complain = (text: string) => process.stderr.write(`${text}\n`);
  let values: { cpu?: boolean; gpu?: boolean; version?: string; from?: string; help?: boolean };
  try {
    ({ values } = parseArgs({
      args: argv,
      options: {
        cpu: { type: 'boolean' },
        gpu: { type: 'boolean' },
        version: { type: 'string' },
        from: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }));
    if (values.cpu && values.gpu) throw new TypeError('Give either --cpu or --gpu, not both.');
  } catch (error) {
    complain(`error: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  try {
    await installTensorFlow(
      {
        variant: values.gpu ? 'gpu' : values.cpu ? 'cpu' : 'auto',
        version: values.version ?? DEFAULT_TENSORFLOW_VERSION,
        from: values.from ?? null,
      },
      { line: complain },
    );
    return 0;
  } catch (error) {
    if (!isOperantError(error)) throw error;
    complain(`error: ${error.message}`);
    return 1;
  }
}
