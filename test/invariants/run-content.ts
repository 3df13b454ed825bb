/** What of a run has to be the same bits, whatever happened to it. */
import type { CheckpointContent } from '../../src/checkpoint/content.ts';

/** A checkpoint's tensors and state; without the clock, and without options that only say how to run. */
export function comparable({ tensors, json }: CheckpointContent): object {
  const { 'run.json': run, 'config.json': _config, ...rest } = json;
  const { seconds: _seconds, ...driver } = run ?? {};
  return { tensors, ...rest, driver };
}
