/** Flat rows through a model, as the open inference protocol and frames carry them. */
import { startsOf } from '../env/discrete-starts.ts';
import { actionSize } from '../policy/policy-spec.ts';
import type { ActRequest } from './batcher.ts';
import type { ServedVersion } from './served-version.ts';

/** Flat actions as the environment takes them, `start` of Discrete added. [numRows, A] */
export async function actRows(
  { model, batcher }: ServedVersion,
  request: ActRequest,
): Promise<Float32Array | Int32Array> {
  const actions = await batcher.act(request);
  const starts = startsOf(model.actionSpace);
  const A = actionSize(model.spec.distribution);
  if (starts.some((start) => start !== 0))
    for (let k = 0; k < actions.length; k++) actions[k] += starts[k % A] ?? 0;
  return actions;
}
