/** Rows of plain arrays as the rows that a product of heads samples. */
import type { RowCall } from '../weights/exploration.ts';
import { createProductRows, type ProductRows, placeHeads } from './distributions/product.ts';
import { actionSize, distributionSize, type ProductSpec } from './policy-spec.ts';

/** Dense arrays of B rows, as `SampleCall` of choose-actions.ts has them. */
export interface ProductCall {
  readonly numRows: number; // B
  readonly distributionParameters: Float32Array; // [B, P] f32
  readonly logStd: Float32Array | null; // of the continuous heads, f32
  readonly masks: Uint8Array | null; // [B, maskSize] u8
  readonly noise: Float32Array; // [B, A] f32
  readonly deterministic: boolean;
  readonly actions: Float32Array | Int32Array; // [B, A]
}

const NOTHING = new Float32Array(0);

/** Calls `visit` with every row of the call, in order. Allocates a few numbers a call, nothing per row. */
export function forEachProductRow(
  distribution: ProductSpec,
  call: ProductCall,
  visit: (rows: ProductRows, row: RowCall, r: number) => void,
): void {
  const rows = createProductRows(distribution);
  const P = distributionSize(distribution);
  const A = actionSize(distribution);
  const maskSize = placeHeads(distribution)
    .filter(({ head }) => head.kind === 'categorical')
    .reduce((sum, { head }) => sum + distributionSize(head), 0);
  const row: RowCall = {
    ...{ outputs: call.distributionParameters, outputOffset: 0, masks: call.masks, maskOffset: 0 },
    ...{ noise: call.noise, noiseOffset: 0, latent: NOTHING, latentOffset: 0 },
    ...{ logStd: call.logStd ?? NOTHING, logStdOffset: 0, actions: call.actions, actionOffset: 0 },
    ...{ epsilon: 0, noiseStd: 0, deterministic: call.deterministic },
  };
  for (let r = 0; r < call.numRows; r++) {
    row.outputOffset = r * P;
    row.maskOffset = r * maskSize;
    row.noiseOffset = r * A;
    row.actionOffset = r * A;
    visit(rows, row, r);
  }
}
