/** The batches of an objective that a learner has filled: one of each size. */
import { ShapeError } from '../errors.ts';
import type { ModelSpec } from '../policy/networks/model.ts';
import { createParameterNoise } from '../policy/networks/parameter-noise.ts';
import type { ObjectiveSpec } from './objective.ts';
import type { ObjectiveBatch } from './objective-learner.ts';

/** Where batches lie, as byte addresses in the objective's order; all sizes share a place. */
export interface BatchMemory {
  readonly buffer: ArrayBufferLike;
  readonly columns: readonly number[];
  readonly noises: readonly number[];
  readonly rowOutputs: readonly number[];
}

const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

/**
 * The batch of so many rows, the same one for every update of that size.
 *
 * @param memory null = arrays of its own for each size.
 * @throws the function: ShapeError `SHAPE_BATCH`.
 */
export function createBatches(
  model: ModelSpec,
  objective: ObjectiveSpec,
  maxBatchSize: number,
  memory: BatchMemory | null,
): (numRows: number) => ObjectiveBatch {
  const batches = new Map<number, ObjectiveBatch>();
  return (numRows) => {
    const batch = batches.get(numRows) ?? createBatch(model, objective, maxBatchSize, memory, numRows);
    batches.set(numRows, batch);
    return batch;
  };
}

function createBatch(
  model: ModelSpec,
  objective: ObjectiveSpec,
  maxBatchSize: number,
  memory: BatchMemory | null,
  numRows: number,
): ObjectiveBatch {
  if (!(numRows >= 1 && numRows <= maxBatchSize)) {
    throw new ShapeError(
      'SHAPE_BATCH',
      `Expected a batch of 1 to ${maxBatchSize} rows, which the learner was made for, got ${numRows}.`,
    );
  }
  const array = (dtype: keyof typeof ARRAYS, length: number, address = 0) =>
    memory === null
      ? new ARRAYS[dtype](length)
      : new ARRAYS[dtype](memory.buffer as ArrayBuffer, address, length);
  const columns = objective.columns.map(({ name, dtype, size }, k) => {
    return [name, array(dtype, numRows * size, memory?.columns[k])]; // [B, size]
  });
  const noises = (objective.noises ?? []).map(({ name, network }, k) => {
    const { size } = createParameterNoise(model, network);
    return [name, array('float32', size, memory?.noises[k])];
  });
  const outputs = objective.rowOutputs.map((name, k) => {
    return [name, array('float32', numRows, memory?.rowOutputs[k])]; // [B]
  });
  return {
    numRows,
    columns: Object.fromEntries(columns),
    noises: Object.fromEntries(noises),
    rowOutputs: Object.fromEntries(outputs),
  };
}
