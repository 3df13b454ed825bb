/**
 * Actions from distribution parameters in plain TypeScript: for central inference, where the network ran elsewhere.
 * The kernels do the same for rollout workers; meanings of noise and modes are those of `policy-spec.ts`.
 */
import { type Exploration, NO_EXPLORATION } from '../weights/exploration.ts';
import { createRandomActions } from './distributions/random-action.ts';
import {
  type ActingSpec,
  actionSize,
  type DistributionSpec,
  distributionSize,
  isBehaviour,
  noiseSize,
} from './policy-spec.ts';
import { sampleBehaviour, sampleRows } from './sample-behaviours.ts';
import { GSDE_VARIANCE_EPSILON, MASKED_LOGIT } from './tensor-distributions.ts';

export interface SampleCall {
  readonly numRows: number; // B
  readonly distributionParameters: Float32Array; // [B, P] f32
  readonly latent: Float32Array | null; // [B, H] f32, gsde only
  readonly logStd: Float32Array | null; // [A] or [H, A] f32
  readonly masks: Uint8Array | null; // [B, P] u8
  readonly noise: Float32Array; // [B, noiseSize] f32: uniforms in [0, 1), or standard normals
  /** The mode instead of a sample; `noise` is not read. */
  readonly deterministic: boolean;
  /** Default: none. */
  readonly exploration?: Exploration;
  readonly actions: Float32Array | Int32Array; // [B, A], out
  readonly logProbs: Float32Array; // [B] f32, out
}

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

/**
 * Samples one action per row and its log-probability.
 *
 * - categorical: inverse of the cumulative distribution at one uniform per component; mode = first largest logit.
 * - bernoulli: noise < sigmoid(logit); mode = logit > 0.
 * - gaussian: mean + exp(logStd) * normal; gsde: mean + sum_h latent_h exp(logStd_ha) normal_ha; mode = mean. With `squash`
 *   the action is u, before tanh, and logProb has the correction.
 *
 * Behaviours as their files in distributions/ say; they have no log-probability, and `logProbs` stays as it is.
 *
 * Thread: any. Allocates a few numbers per call, nothing per row.
 */
export function sampleActions(spec: ActingSpec, call: SampleCall): void {
  const { distribution } = spec;
  const { exploration = NO_EXPLORATION } = call;
  const isRandom = exploration.isRandom && !call.deterministic;
  const sampleRandom = isRandom ? createRandomActions(distribution, noiseSize(spec)) : null;
  if (sampleRandom !== null) sampleRows(spec, call, exploration, sampleRandom);
  else if (isBehaviour(distribution)) sampleBehaviour({ ...spec, distribution }, call, exploration);
  else sampleDistribution(spec, distribution, call);
}

function sampleDistribution(spec: ActingSpec, distribution: DistributionSpec, call: SampleCall): void {
  const sampleRow = ROW_SAMPLERS[distribution.kind] as DistributionSampler<DistributionSpec>;
  const sizes = {
    numParameters: distributionSize(distribution),
    numActions: actionSize(distribution),
    numNoise: noiseSize(spec),
  };
  for (let row = 0; row < call.numRows; row += 1)
    call.logProbs[row] = sampleRow(distribution, call, row, sizes);
}

interface RowSizes {
  readonly numParameters: number; // P
  readonly numActions: number; // A
  readonly numNoise: number;
}

type DistributionSampler<D extends DistributionSpec> = (
  distribution: D,
  call: SampleCall,
  row: number,
  sizes: RowSizes,
) => number;

const ROW_SAMPLERS: {
  readonly [K in DistributionSpec['kind']]: DistributionSampler<Extract<DistributionSpec, { kind: K }>>;
} = {
  categorical: sampleCategorical,
  bernoulli: sampleBernoulli,
  gaussian: sampleGaussian,
  gsde: sampleGaussian,
};

function sampleCategorical(
  { sizes }: Extract<DistributionSpec, { kind: 'categorical' }>,
  call: SampleCall,
  row: number,
  { numParameters, numActions, numNoise }: RowSizes,
): number {
  let logProb = 0;
  let start = row * numParameters;
  for (let k = 0; k < sizes.length; k += 1) {
    const size = sizes[k];
    const uniform = call.deterministic ? null : call.noise[row * numNoise + k];
    const choice = chooseCategory(call, start, size, uniform);
    call.actions[row * numActions + k] = choice.index;
    logProb += choice.logProb;
    start += size;
  }
  return logProb;
}

/** @param uniform null = the mode. */
function chooseCategory(
  { distributionParameters, masks }: SampleCall,
  start: number,
  size: number,
  uniform: number | null,
): { index: number; logProb: number } {
  const logit = (i: number) =>
    masks !== null && masks[start + i] === 0 ? MASKED_LOGIT : distributionParameters[start + i];
  let best = 0;
  for (let i = 1; i < size; i += 1) if (logit(i) > logit(best)) best = i;
  const largest = logit(best);
  let total = 0;
  for (let i = 0; i < size; i += 1) total += Math.exp(logit(i) - largest);
  let index = best;
  if (uniform !== null) {
    let remaining = uniform * total;
    for (let i = 0; i < size; i += 1) {
      const weight = Math.exp(logit(i) - largest);
      if (weight === 0) continue; // rounding must not end on a forbidden action
      index = i;
      remaining -= weight;
      if (remaining < 0) break;
    }
  }
  return { index, logProb: logit(index) - largest - Math.log(total) };
}

function sampleBernoulli(
  _distribution: DistributionSpec,
  call: SampleCall,
  row: number,
  { numParameters, numNoise }: RowSizes,
): number {
  let logProb = 0;
  for (let a = 0; a < numParameters; a += 1) {
    const logit = call.distributionParameters[row * numParameters + a];
    const probability = 1 / (1 + Math.exp(-logit));
    const action = (call.deterministic ? logit > 0 : call.noise[row * numNoise + a] < probability) ? 1 : 0;
    call.actions[row * numParameters + a] = action;
    logProb += action * logit - softplus(logit);
  }
  return logProb;
}

function sampleGaussian(
  distribution: Extract<DistributionSpec, { kind: 'gaussian' | 'gsde' }>,
  call: SampleCall,
  row: number,
  { numActions, numNoise }: RowSizes,
): number {
  let logProb = 0;
  for (let a = 0; a < numActions; a += 1) {
    const mean = call.distributionParameters[row * numActions + a];
    const { std, noise } =
      distribution.kind === 'gsde'
        ? gsdeNoise(call, row, a, numActions, numNoise)
        : freeNoise(call, row, a, numNoise);
    const action = Math.fround(call.deterministic ? mean : mean + noise);
    call.actions[row * numActions + a] = action;
    const standardized = (action - mean) / std;
    logProb -= 0.5 * standardized * standardized + Math.log(std) + HALF_LOG_2PI;
    if (distribution.squash) logProb -= 2 * (Math.LN2 - action - softplus(-2 * action));
  }
  return logProb;
}

interface ElementNoise {
  readonly std: number;
  /** Already scaled. */
  readonly noise: number;
}

function freeNoise({ logStd, noise }: SampleCall, row: number, a: number, numNoise: number): ElementNoise {
  const std = Math.exp(logStd?.[a] ?? 0);
  return { std, noise: std * noise[row * numNoise + a] };
}

function gsdeNoise(
  { logStd, latent, noise }: SampleCall,
  row: number,
  a: number,
  numActions: number,
  numNoise: number,
): ElementNoise {
  if (logStd === null || latent === null)
    throw new TypeError('Expected `logStd` and `latent` for gsde, got null.');
  const latentSize = logStd.length / numActions;
  let variance = GSDE_VARIANCE_EPSILON;
  let sum = 0;
  for (let h = 0; h < latentSize; h += 1) {
    const scaled = latent[row * latentSize + h] * Math.exp(logStd[h * numActions + a]);
    variance += scaled * scaled;
    sum += scaled * noise[row * numNoise + h * numActions + a];
  }
  return { std: Math.sqrt(variance), noise: sum };
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
