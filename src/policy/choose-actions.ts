/** Actions from distribution parameters, one row after the other; without their log-probabilities, which nobody asks of a policy in use. */
import { type Exploration, NO_EXPLORATION } from '../weights/exploration.ts';
import {
  type ActingSpec,
  actionSize,
  type DistributionSpec,
  distributionSize,
  isBehaviour,
  noiseSize,
  type ProductSpec,
} from './policy-spec.ts';
import { forEachProductRow } from './product-call.ts';
import { sampleBehaviour } from './sample-behaviours.ts';
import { MASKED_LOGIT } from './tensor-distributions.ts';

export interface SampleCall {
  readonly numRows: number; // B
  readonly distributionParameters: Float32Array; // [B, P] f32
  readonly latent: Float32Array | null; // [B, H] f32, gsde only
  readonly logStd: Float32Array | null; // [A] or [H, A] f32
  readonly masks: Uint8Array | null; // [B, maskSize] u8: one for each logit of a choice
  readonly noise: Float32Array; // [B, noiseSize] f32: uniforms in [0, 1), or standard normals
  /** The mode instead of a sample; `noise` is not read. */
  readonly deterministic: boolean;
  /** Default: none. */
  readonly exploration?: Exploration;
  readonly actions: Float32Array | Int32Array; // [B, A], out
  readonly logProbs: Float32Array; // [B] f32, out
}

export type ChooseCall = Omit<SampleCall, 'logProbs'>;

/** Writes one action per row, as `sampleActions` says; never uniformly random. Thread: any. Allocates a few numbers per call, nothing per row. */
export function chooseActions(spec: ActingSpec, call: ChooseCall): void {
  const { distribution } = spec;
  if (isBehaviour(distribution)) {
    sampleBehaviour({ ...spec, distribution }, call, call.exploration ?? NO_EXPLORATION);
    return;
  }
  if (distribution.kind === 'product') {
    forEachProductRow(distribution, call, ({ sample }, row) => sample(row));
    return;
  }
  const chooseRow = ROW_CHOOSERS[distribution.kind] as RowChooser<SimpleSpec>;
  const sizes = {
    numParameters: distributionSize(distribution),
    numActions: actionSize(distribution),
    numNoise: noiseSize(spec),
  };
  for (let row = 0; row < call.numRows; row += 1) chooseRow(distribution, call, row, sizes);
}

interface RowSizes {
  readonly numParameters: number; // P
  readonly numActions: number; // A
  readonly numNoise: number;
}

type SimpleSpec = Exclude<DistributionSpec, ProductSpec>;

type RowChooser<D extends SimpleSpec> = (
  distribution: D,
  call: ChooseCall,
  row: number,
  sizes: RowSizes,
) => void;

const ROW_CHOOSERS: {
  readonly [K in SimpleSpec['kind']]: RowChooser<Extract<SimpleSpec, { kind: K }>>;
} = {
  categorical: chooseCategories,
  bernoulli: chooseBits,
  gaussian: chooseGaussian,
  gsde: chooseGaussian,
};

function chooseCategories(
  { sizes }: Extract<DistributionSpec, { kind: 'categorical' }>,
  call: ChooseCall,
  row: number,
  { numParameters, numActions, numNoise }: RowSizes,
): void {
  let start = row * numParameters;
  for (let k = 0; k < sizes.length; k += 1) {
    const uniform = call.deterministic ? null : call.noise[row * numNoise + k];
    call.actions[row * numActions + k] = chooseCategory(call, start, sizes[k], uniform);
    start += sizes[k];
  }
}

/** A logit as it counts: of forbidden ones nothing is left. */
export function maskedLogit(
  { distributionParameters, masks }: Pick<SampleCall, 'distributionParameters' | 'masks'>,
  i: number,
): number {
  return masks !== null && masks[i] === 0 ? MASKED_LOGIT : distributionParameters[i];
}

/** Index of the first largest logit. */
export function bestCategory(call: ChooseCall, start: number, size: number): number {
  let best = 0;
  for (let i = 1; i < size; i += 1)
    if (maskedLogit(call, start + i) > maskedLogit(call, start + best)) best = i;
  return best;
}

/** @param uniform null = the mode. */
function chooseCategory(call: ChooseCall, start: number, size: number, uniform: number | null): number {
  const best = bestCategory(call, start, size);
  if (uniform === null) return best;
  const largest = maskedLogit(call, start + best);
  let total = 0;
  for (let i = 0; i < size; i += 1) total += Math.exp(maskedLogit(call, start + i) - largest);
  let index = best;
  let remaining = uniform * total;
  for (let i = 0; i < size; i += 1) {
    const weight = Math.exp(maskedLogit(call, start + i) - largest);
    if (weight === 0) continue; // rounding must not end on a forbidden action
    index = i;
    remaining -= weight;
    if (remaining < 0) break;
  }
  return index;
}

function chooseBits(
  _distribution: SimpleSpec,
  { distributionParameters, deterministic, noise, actions }: ChooseCall,
  row: number,
  { numParameters, numNoise }: RowSizes,
): void {
  for (let a = 0; a < numParameters; a += 1) {
    const logit = distributionParameters[row * numParameters + a];
    const isOne = deterministic ? logit > 0 : noise[row * numNoise + a] < 1 / (1 + Math.exp(-logit));
    actions[row * numParameters + a] = isOne ? 1 : 0;
  }
}

function chooseGaussian(
  distribution: Extract<DistributionSpec, { kind: 'gaussian' | 'gsde' }>,
  call: ChooseCall,
  row: number,
  { numActions, numNoise }: RowSizes,
): void {
  for (let a = 0; a < numActions; a += 1) {
    const at = row * numActions + a;
    const mean = call.distributionParameters[at];
    const noise = distribution.kind === 'gsde' ? gsdeNoise : freeNoise;
    call.actions[at] = call.deterministic ? mean : mean + noise(call, row, a, numActions, numNoise);
  }
}

function freeNoise(
  { logStd, noise }: ChooseCall,
  row: number,
  a: number,
  _numActions: number,
  numNoise: number,
): number {
  return Math.exp(logStd?.[a] ?? 0) * noise[row * numNoise + a];
}

function gsdeNoise(
  { logStd, latent, noise }: ChooseCall,
  row: number,
  a: number,
  numActions: number,
  numNoise: number,
): number {
  if (logStd === null || latent === null)
    throw new TypeError('Expected `logStd` and `latent` for gsde, got null.');
  const latentSize = logStd.length / numActions;
  let sum = 0;
  for (let h = 0; h < latentSize; h += 1) {
    const scaled = latent[row * latentSize + h] * Math.exp(logStd[h * numActions + a]);
    sum += scaled * noise[row * numNoise + h * numActions + a];
  }
  return sum;
}
