/** Whether a version that nobody gets yet acts as the default does, on requests that came of late. */
import { ServeError } from '../errors.ts';
import { actionSize } from '../policy/policy-spec.ts';
import type { LoadedModel } from './load-model.ts';
import type { ServedVersion } from './served-version.ts';

/** Continuous actions that are so near to each other, as a share of their range, are the same. */
const SAME_SHARE = 0.05;

/** @returns the share of recorded rows with the same action; null where there is none, or the two are of different shapes. */
export async function agreementOf(current: ServedVersion, staged: ServedVersion): Promise<number | null> {
  const rows = current.batcher.recorded();
  if (rows.length === 0 || shapeOf(current.model) !== shapeOf(staged.model)) return null;
  const actionsOf = ({ batcher }: ServedVersion) =>
    Promise.all(rows.map((row) => batcher.act({ ...row, ...SHADOW })));
  try {
    const [expected, actual] = await Promise.all([actionsOf(current), actionsOf(staged)]);
    const tolerances = tolerancesOf(current.model);
    const numSame = expected.filter(({ actions }, k) =>
      actions.every((x, a) => Math.abs(x - actual[k].actions[a]) <= tolerances[a]),
    ).length;
    return numSame / rows.length;
  } catch (cause) {
    const message = `Cannot compare version ${staged.model.version} of ${staged.model.name} with the default: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new ServeError('SERVE_SHADOW', 409, message, { cause });
  }
}

const SHADOW = { numRows: 1, priority: 1, timeoutMs: 60_000, isShadow: true, times: null };

function shapeOf({ spec, stateLayout }: LoadedModel): string {
  const { observationSize, observationDtype, actionMaskSize, distribution } = spec;
  return [observationSize, observationDtype, actionMaskSize, actionSize(distribution), stateLayout].join();
}

/** [A]; 0 for what is counted. */
function tolerancesOf({ spec: { distribution } }: LoadedModel): readonly number[] {
  const A = actionSize(distribution);
  if (!('low' in distribution)) return new Array<number>(A).fill(0);
  return distribution.low.map((low, a) => {
    const range = distribution.high[a] - low;
    return SAME_SHARE * (Number.isFinite(range) ? range : 1);
  });
}
