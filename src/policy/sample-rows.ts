/** Rows of plain arrays as the rows that distributions sample: for policies in plain TypeScript, and where the network ran elsewhere. */
import { type Exploration, NO_EXPLORATION, type RowCall } from '../weights/exploration.ts';
import { createBehaviour } from './distributions/behaviour.ts';
import {
  type ActingSpec,
  actionSize,
  distributionSize,
  isBehaviour,
  latentSize,
  noiseSize,
} from './policy-spec.ts';

/** Dense arrays of B rows. */
export interface RowArrays {
  readonly numRows: number; // B
  readonly distributionParameters: Float32Array; // [B, P] f32
  readonly latent: Float32Array | null; // [B, H] f32, gsde and squashed-gsde only
  readonly logStd: Float32Array | null; // [A] or [H, A] f32
  readonly masks: Uint8Array | null; // [B, maskSize] u8: one for each logit of a choice
  readonly noise: Float32Array; // [B, noiseSize] f32: uniforms in [0, 1), or standard normals
  /** The mode instead of a sample; `noise` is not read. */
  readonly deterministic: boolean;
  readonly actions: Float32Array | Int32Array; // [B, A], out
}

const NOTHING = new Float32Array(0);

/**
 * What the greedy action of each row is worth, under epsilon-greedy; `values` stays as it is under all others.
 *
 * @param values [B], out.
 */
export function writeBehaviourValues(
  spec: ActingSpec,
  distributionParameters: Float32Array,
  masks: Uint8Array | null,
  numRows: number,
  values: Float32Array | Float64Array,
): void {
  const { distribution } = spec;
  const value = isBehaviour(distribution) ? createBehaviour(distribution, latentSize(spec)).value : null;
  if (value === null) return;
  const call = {
    distributionParameters,
    masks,
    numRows,
    deterministic: true,
    noise: NOTHING,
    latent: null,
    logStd: null,
    actions: NOTHING,
  };
  forEachRow(spec, call, NO_EXPLORATION, (row, r) => {
    values[r] = value(row);
  });
}

/** Calls `visit` with one record that is aimed at every row in turn; a sampler is such a `visit`. Thread: any. Allocates a few numbers a call. */
export function forEachRow(
  spec: ActingSpec,
  call: RowArrays,
  { epsilon, noiseStd }: Exploration,
  visit: (row: RowCall, r: number) => void,
): void {
  const row: RowCall = {
    outputs: call.distributionParameters,
    outputOffset: 0,
    masks: call.masks,
    maskOffset: 0,
    noise: call.noise,
    noiseOffset: 0,
    latent: call.latent ?? NOTHING,
    latentOffset: 0,
    logStd: call.logStd ?? NOTHING,
    logStdOffset: 0,
    actions: call.actions,
    actionOffset: 0,
    epsilon,
    noiseStd,
    deterministic: call.deterministic,
  };
  const P = distributionSize(spec.distribution);
  const A = actionSize(spec.distribution);
  const H = latentSize(spec);
  const numNoise = noiseSize(spec);
  for (let r = 0; r < call.numRows; r++) {
    visit(row, r);
    row.outputOffset += P;
    row.maskOffset += spec.actionMaskSize;
    row.noiseOffset += numNoise;
    row.latentOffset += H;
    row.actionOffset += A;
  }
}
