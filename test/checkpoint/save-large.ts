/** Child process: saves a checkpoint of 400 kB at argv[2] and prints `saved` or the error's code. */
import type { CheckpointContent } from '../../src/checkpoint/content.ts';
import { saveCheckpoint } from '../../src/checkpoint/save-checkpoint.ts';
import { isOperantError } from '../../src/errors.ts';

const content: CheckpointContent = {
  description: {},
  tensors: {
    'weights.safetensors': {
      weights: { dtype: 'float32', shape: [100_000], data: new Float32Array(100_000) },
    },
  },
  json: {},
};
await saveCheckpoint(process.argv[2], content).then(
  () => console.log('saved'),
  (error: unknown) => console.log(isOperantError(error) ? `${error.code} ${error.message}` : error),
);
