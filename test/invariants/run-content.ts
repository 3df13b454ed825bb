/** What of a run has to be the same bits, whatever happened to it. */
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import type { CheckpointContent } from '../../src/checkpoint/content.ts';

/** A checkpoint's tensors and state; without the clock, and without options that only say how to run. */
export function comparable({ tensors, json }: CheckpointContent): object {
  const { 'run.json': run, 'config.json': _config, ...rest } = json;
  const { seconds: _seconds, ...driver } = run ?? {};
  return { tensors, ...rest, driver };
}

/** What a run is after so many more iterations, which are its last. */
export async function contentAfter(algorithm: Algorithm, numIterations: number): Promise<object> {
  try {
    for (let k = 0; k < numIterations; k++) await algorithm.train();
    return comparable(await algorithm.getState());
  } finally {
    await algorithm.stop();
  }
}
