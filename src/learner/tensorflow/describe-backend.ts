/** A backend in a few words, for people. */
import type { LoadedTensorFlow } from './backend.ts';

export function describeBackend({ backend, version, gpu }: LoadedTensorFlow): string {
  return `${backend} (${backend === 'node-gpu' ? 'TensorFlow' : 'tfjs'} ${version}, ${gpu ? 'GPU' : 'CPU'})`;
}
