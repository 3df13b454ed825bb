/** Batch columns as a thread sees them: the block's rows, copied into scratch of its own. */
import type { Kernels } from '../../../simd/kernel-exports.ts';
import type { BatchColumn, ObjectiveSpec } from '../../objective.ts';
import type { ObjectiveLayout } from './regions.ts';
import type { ThreadJob } from './thread-job.ts';
import type { ThreadScratch } from './thread-scratch.ts';

type ColumnArray = Float32Array | Int32Array | Uint8Array;

export interface ThreadColumns {
  /** The view of a column; from then on every block's rows are copied there. @param numRows only the first so many; default all. */
  open(name: string, dtype: BatchColumn['dtype'], numRows?: number): ColumnArray;
  /** Copies the block's rows of every column that was opened. */
  load(): void;
}

export function createThreadColumns(
  objective: ObjectiveSpec,
  layout: ObjectiveLayout | null,
  kernels: Kernels | null,
  scratch: ThreadScratch,
  job: ThreadJob,
): ThreadColumns {
  const opened = new Map<string, { view: ColumnArray; copy: () => void }>();
  const copies: (() => void)[] = [];
  return {
    open(name, dtype, numRows = scratch.blockRows) {
      const key = `${name} ${numRows}`;
      const known = opened.get(key);
      if (known !== undefined) return known.view;
      const index = objective.columns.findIndex((column) => column.name === name);
      const column = objective.columns[index];
      if (column === undefined || column.dtype !== dtype) {
        throw new TypeError(
          `Expected a ${dtype} column of the objective, got ${name} (${column?.dtype ?? 'unknown'}).`,
        );
      }
      const { size } = column;
      const isBytes = dtype === 'uint8';
      const rowBytes = size * (isBytes ? 1 : 4);
      const target = scratch.take(numRows * rowBytes);
      const source = layout?.columns[index].address ?? 0;
      const length = numRows * size;
      const view = isBytes
        ? scratch.bytes(target, length)
        : dtype === 'int32'
          ? scratch.integers(target, length)
          : scratch.floats(target, length);
      const copy = () => {
        const from = source + job.start * rowBytes;
        const count = Math.min(numRows, job.numRows);
        if (isBytes) kernels?.gatherBytes(from, 0, count, size, target);
        else kernels?.gatherWords(from, 0, count, size, target);
      };
      opened.set(key, { view, copy });
      copies.push(copy);
      return view;
    },
    load() {
      for (const copy of copies) copy();
    },
  };
}
