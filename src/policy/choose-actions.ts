/** Actions from distribution parameters, one row after the other; without their log-probabilities, which nobody asks of a policy in use. */
import { type Exploration, NO_EXPLORATION, type RowSampler } from '../weights/exploration.ts';
import { createBehaviour } from './distributions/behaviour.ts';
import { createGsde } from './distributions/gsde.ts';
import { createProductSampler } from './distributions/product.ts';
import { type ActingSpec, asProduct, isBehaviour, latentSize } from './policy-spec.ts';
import { forEachRow, type RowArrays } from './sample-rows.ts';

export interface SampleCall extends RowArrays {
  /** Default: none. */
  readonly exploration?: Exploration;
  readonly logProbs: Float32Array; // [B] f32, out
}

export type ChooseCall = Omit<SampleCall, 'logProbs'>;

/** Writes one action per row, as `sampleActions` says; never uniformly random. Thread: any. A call allocates a few numbers, nothing per row. */
export function createActionChoice(spec: ActingSpec): (call: ChooseCall) => void {
  const sample = createSampler(spec);
  return (call) => forEachRow(spec, call, call.exploration ?? NO_EXPLORATION, sample);
}

function createSampler(spec: ActingSpec): RowSampler {
  const { distribution } = spec;
  if (isBehaviour(distribution)) return createBehaviour(distribution, latentSize(spec)).sample;
  if (distribution.kind === 'gsde') return createGsde(distribution, latentSize(spec));
  return createProductSampler(asProduct(distribution));
}
