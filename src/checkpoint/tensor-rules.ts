/** What a checkpoint's tensors have to be: state is checked as strictly as configuration. */
import { CheckpointError } from '../errors.ts';
import type { NamedTensor, TensorDtype } from './content.ts';

/** What one tensor has to be; fields that are absent are free. */
export interface TensorRule {
  readonly dtype: TensorDtype;
  /** null = any size there. */
  readonly shape: readonly (number | null)[];
  /** `finite`: no NaN, no infinity. `nonNegative`: from 0 besides. @defaultValue anything */
  readonly values?: 'finite' | 'nonNegative';
}

type Tensors = Readonly<Record<string, NamedTensor>>;

/**
 * A checkpoint's tensor that fits its rule. Cost: O(size) where values are looked at.
 *
 * @param file for messages.
 * @throws CheckpointError `CHECKPOINT_STATE` naming file, tensor and what it is instead.
 */
export function readTensor(tensors: Tensors, file: string, name: string, rule: TensorRule): NamedTensor {
  const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  const expected = `${rule.dtype} [${rule.shape.map((size) => size ?? 'any').join(', ')}]`;
  if (tensor === undefined) throw unfit(file, name, expected, 'nothing');
  const fits =
    tensor.dtype === rule.dtype &&
    tensor.shape.length === rule.shape.length &&
    tensor.shape.every((size, k) => rule.shape[k] === null || rule.shape[k] === size);
  if (!fits) throw unfit(file, name, expected, `${tensor.dtype} [${tensor.shape.join(', ')}]`);
  const odd = rule.values === undefined ? -1 : indexOfOdd(tensor.data, rule.values);
  if (odd >= 0) {
    const what = rule.values === 'nonNegative' ? 'numbers from 0' : 'finite numbers';
    throw unfit(file, name, what, `${tensor.data[odd]} at ${odd}`);
  }
  return tensor;
}

/** Index of the first number that is not allowed; -1 without one. */
export function indexOfOdd(data: NamedTensor['data'], values: 'finite' | 'nonNegative'): number {
  const least = values === 'nonNegative' ? 0 : Number.NEGATIVE_INFINITY;
  // NaN fails every comparison.
  for (let i = 0; i < data.length; i++) {
    if (!(data[i] >= least && Math.abs(data[i]) < Number.POSITIVE_INFINITY)) return i;
  }
  return -1;
}

function unfit(file: string, name: string, expected: string, found: string): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_STATE',
    `Expected \`${name}\` of the checkpoint's ${file} to be ${expected}, found ${found}. Use an older checkpoint.`,
  );
}
