/** Dropout's masks of one pass: what the kernels multiply hidden layers by. */
import { dropUnits } from '../../dropout.ts';
import type { LayerMask } from './pass-plan.ts';
import type { ThreadScratch } from './thread-scratch.ts';

/**
 * @param seeds i32 [blockRows], of the block's rows.
 * @returns what draws the masks of a block; some 25 ns for each row and for each unit dropped. Allocates nothing.
 */
export function createMasks(
  layers: readonly LayerMask[],
  rate: number,
  draw: number,
  seeds: Int32Array,
  scratch: ThreadScratch,
): (numRows: number) => void {
  const kept = 1 / (1 - rate);
  const numUnits = layers.reduce((sum, layer) => sum + layer.numUnits, 0);
  const masks = layers.map(({ address, stride }) => {
    const values = scratch.floats(address, (scratch.blockRows * stride) / 4);
    if (scratch.isReal) values.fill(kept);
    return values;
  });
  const units = new Int32Array(numUnits); // of one row
  const dropped = masks.map(({ length }) => new Int32Array(length)); // places that hold 0, layer by layer
  const counts = new Int32Array(layers.length);
  /** Of the row's units those of each layer, which follow one another. */
  const dropRow = (r: number): void => {
    const numDropped = dropUnits(seeds[r], draw, rate, numUnits, units);
    let first = 0;
    let k = 0;
    for (let layer = 0; layer < layers.length; layer++) {
      const end = first + layers[layer].numUnits;
      const row = (r * layers[layer].stride) / 4;
      for (; k < numDropped && units[k] < end; k++) dropped[layer][counts[layer]++] = row + units[k] - first;
      first = end;
    }
  };
  const write = (value: number): void => {
    for (let layer = 0; layer < layers.length; layer++)
      for (let k = 0; k < counts[layer]; k++) masks[layer][dropped[layer][k]] = value;
  };
  return (numRows) => {
    write(kept);
    counts.fill(0);
    for (let r = 0; r < numRows; r++) dropRow(r);
    write(0);
  };
}
