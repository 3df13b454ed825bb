import { beforeAll, describe, expect, it } from 'vitest';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { placeHeads } from '../../src/policy/distributions/product.ts';
import { mlpParameterLayout } from '../../src/policy/networks/mlp-parameters.ts';
import {
  actionDtype,
  actionSize,
  distributionSize,
  noiseSize,
  type PolicySpec,
  type ProductSpec,
} from '../../src/policy/policy-spec.ts';
import { openStream } from '../../src/random/streams.ts';
import { createKernelPolicy, kernelPolicyScratchBytes } from '../../src/simd/kernel-policy.ts';
import { instantiateKernels, type KernelModule, loadKernels } from '../../src/simd/loader.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../../src/weights/weight-buffer.ts';
import { logSoftmax, maskedSegments, rowStatistics } from '../reference/distribution-reference.ts';
import { forwardReference, sigmoid, tensorsOf } from '../reference/mlp-reference.ts';
import {
  ACTIVATION_NAMES,
  bernoulli,
  categorical,
  DISTRIBUTIONS,
  drawNoise,
  gaussian,
  gsde,
  makeSpec,
  normalizedRows,
  randomParameters,
} from '../reference/policy-specs.ts';

let builds: Record<'relaxed' | 'strict', KernelModule>;
beforeAll(async () => {
  builds = { relaxed: await loadKernels(), strict: await loadKernels({ deterministic: true }) };
}, 120_000);

const STEPS = 3; // rows are strided like a rollout [N, T, ...], at t = 1

/** Everything a worker would set up, with random weights and observations. */
function setUp(
  spec: PolicySpec,
  numRows: number,
  build: 'relaxed' | 'strict' = 'relaxed',
  maxRows = numRows,
) {
  const stream = openStream(7, 'policy', numRows);
  const planner = createArenaPlanner();
  const weightLayout = reserveWeightBuffer(planner, mlpParameterLayout(spec).size, spec.observationSize);
  const scratch = planner.reserve(kernelPolicyScratchBytes(spec, maxRows));
  const A = actionSize(spec.distribution);
  const size = spec.observationSize;
  const isBytes = spec.observationDtype === 'uint8';
  const regions = {
    observations: planner.reserve(numRows * STEPS * size * (isBytes ? 1 : 4)),
    masks: planner.reserve(numRows * spec.actionMaskSize),
    noise: planner.reserve(4 * numRows * noiseSize(spec)),
    actions: planner.reserve(4 * numRows * STEPS * A),
    logProbs: planner.reserve(4 * numRows * STEPS),
    values: planner.reserve(4 * numRows * STEPS),
  };
  const arena = createArena(planner);
  const { buffer } = arena;
  const weights = openWeightBuffer(buffer, weightLayout);
  const parameters = randomParameters(spec, stream);
  const mean = Float32Array.from({ length: size }, () => stream.normal());
  const inverseStd = Float32Array.from({ length: size }, () => 0.5 + stream.uniform());
  const version = weights.publish(parameters, mean, inverseStd);
  const observations = isBytes
    ? new Uint8Array(buffer, regions.observations.offset, numRows * STEPS * size)
    : new Float32Array(buffer, regions.observations.offset, numRows * STEPS * size);
  for (let k = 0; k < observations.length; k++)
    observations[k] = isBytes ? stream.integer(256) : 2 * stream.normal();
  const masks = new Uint8Array(buffer, regions.masks.offset, numRows * spec.actionMaskSize);
  for (let k = 0; k < masks.length; k++) masks[k] = stream.uniform() < 0.6 ? 1 : 0;
  const noise = new Float32Array(buffer, regions.noise.offset, numRows * noiseSize(spec));
  for (let r = 0; r < numRows; r++)
    noise.set(drawNoise(spec.distribution, noiseSize(spec), stream), r * noiseSize(spec));
  const ActionArray = actionDtype(spec.distribution) === 'int32' ? Int32Array : Float32Array;
  const actions = new ActionArray(buffer as ArrayBuffer, regions.actions.offset, numRows * STEPS * A);
  const logProbs = new Float32Array(buffer, regions.logProbs.offset, numRows * STEPS);
  const values = new Float32Array(buffer, regions.values.offset, numRows * STEPS);
  const policy = createKernelPolicy(
    instantiateKernels(builds[build], arena.memory),
    spec,
    arena,
    scratch,
    weightLayout,
  );
  const t = 1;
  const act = (first: number, count: number, deterministic = false) =>
    policy.act({
      numRows: count,
      weightsAddress: weights.slotAddress(version),
      observationAddress: regions.observations.offset + (first * STEPS + t) * size * (isBytes ? 1 : 4),
      observationStride: STEPS * size,
      maskAddress: spec.actionMaskSize > 0 ? regions.masks.offset + first * spec.actionMaskSize : 0,
      maskStride: spec.actionMaskSize,
      noiseAddress: regions.noise.offset + 4 * first * noiseSize(spec),
      deterministic,
      actionAddress: regions.actions.offset + 4 * (first * STEPS + t) * A,
      actionStride: STEPS * A,
      logProbAddress: regions.logProbs.offset + 4 * (first * STEPS + t),
      valueAddress: regions.values.offset + 4 * (first * STEPS + t),
      scalarStride: STEPS,
    });
  const rowsOf = (array: ArrayLike<number>, width: number) =>
    Array.from({ length: numRows }, (_, r) =>
      Array.from({ length: width }, (_, k) => array[(r * STEPS + t) * width + k]),
    );
  const flatObservations = rowsOf(observations, size).flat();
  const trace = forwardReference(
    spec,
    parameters,
    normalizedRows(spec, flatObservations, numRows, mean, inverseStd),
  );
  return {
    policy,
    act,
    regions,
    weights,
    version,
    parameters,
    masks,
    noise,
    actions,
    logProbs,
    values,
    trace,
    rowsOf,
    buffer,
  };
}

/** The action that the definition gives, and how close to a decision boundary the noise was. */
function expectedAction(
  spec: PolicySpec,
  s: ReturnType<typeof setUp>,
  r: number,
): { action: number[]; margin: number } {
  const noise = Array.from(s.noise.subarray(r * noiseSize(spec), (r + 1) * noiseSize(spec)));
  const outputs = s.trace.outputs[r];
  const { distribution } = spec;
  if (distribution.kind !== 'product')
    return actionOf(spec, distribution, s, r, { noise, outputs, mask: 0, logStd: 0 });
  const heads = placeHeads(distribution).map(({ head, output, action, mask, logStd }) =>
    actionOf(spec, head, s, r, {
      noise: noise.slice(action, action + actionSize(head)),
      outputs: outputs.slice(output, output + distributionSize(head)),
      mask,
      logStd,
    }),
  );
  return {
    action: heads.flatMap(({ action }) => action),
    margin: Math.min(...heads.map(({ margin }) => margin)),
  };
}

function actionOf(
  spec: PolicySpec,
  distribution: Exclude<PolicySpec['distribution'], ProductSpec>,
  s: ReturnType<typeof setUp>,
  r: number,
  {
    noise,
    outputs,
    mask: firstMask,
    logStd: firstLogStd,
  }: { readonly noise: number[]; readonly outputs: number[]; readonly mask: number; readonly logStd: number },
): { action: number[]; margin: number } {
  let margin = 1;
  if (distribution.kind === 'categorical') {
    const mask =
      spec.actionMaskSize > 0
        ? Array.from(s.masks.subarray(r * spec.actionMaskSize + firstMask, (r + 1) * spec.actionMaskSize))
        : null;
    const action = maskedSegments(distribution.sizes, outputs, mask).map((logits, k) => {
      let cumulative = 0;
      let choice = -1;
      logSoftmax(logits).forEach((l, j) => {
        cumulative += Math.exp(l);
        margin = Math.min(margin, Math.abs(cumulative - noise[k]));
        if (choice < 0 && cumulative > noise[k]) choice = j;
      });
      return choice;
    });
    return { action, margin };
  }
  if (distribution.kind === 'bernoulli') {
    const action = outputs.map((logit, k) => {
      margin = Math.min(margin, Math.abs(sigmoid(logit) - noise[k]));
      return noise[k] < sigmoid(logit) ? 1 : 0;
    });
    return { action, margin };
  }
  const logStd = tensorsOf(spec, s.parameters)('logStd');
  const stds = Array.from({ length: logStd.size }, (_, k) => Math.exp(logStd.at(k)));
  if (distribution.kind === 'gaussian')
    return { action: outputs.map((mean, a) => mean + stds[firstLogStd + a] * noise[a]), margin };
  const action = outputs.map((mean, a) =>
    s.trace.latent[r].reduce(
      (sum, l, h) => sum + l * stds[h * outputs.length + a] * noise[h * outputs.length + a],
      mean,
    ),
  );
  return { action, margin };
}

function modeOf(distribution: PolicySpec['distribution'], outputs: readonly number[]): number[] {
  if (distribution.kind === 'product')
    return placeHeads(distribution).flatMap(({ head, output }) =>
      modeOf(head, outputs.slice(output, output + distributionSize(head))),
    );
  if (distribution.kind === 'categorical')
    return maskedSegments(distribution.sizes, outputs, null).map((l) => l.indexOf(Math.max(...l)));
  return distribution.kind === 'bernoulli' ? outputs.map((l) => (l > 0 ? 1 : 0)) : [...outputs];
}

function checkAgainstReference(spec: PolicySpec, numRows: number, build: 'relaxed' | 'strict' = 'relaxed') {
  const s = setUp(spec, numRows, build);
  s.act(0, numRows);
  const A = actionSize(spec.distribution);
  const actions = s.rowsOf(s.actions, A);
  const logProbs = s.rowsOf(s.logProbs, 1).flat();
  const values = s.rowsOf(s.values, 1).flat();
  const logStd = tensorsOf(spec, s.parameters)('logStd');
  const logStds = Array.from({ length: logStd.size }, (_, k) => logStd.at(k));
  const P = distributionSize(spec.distribution);
  let compared = 0;
  for (let r = 0; r < numRows; r++) {
    const { action, margin } = expectedAction(spec, s, r);
    if (margin > 1e-5) {
      compared++;
      actions[r].forEach((a, k) => {
        expect(a).toBeCloseTo(action[k], 4);
      });
    }
    const mask = spec.actionMaskSize > 0 ? Array.from(s.masks.subarray(r * P, (r + 1) * P)) : null;
    const row = {
      outputs: s.trace.outputs[r],
      latent: s.trace.latent[r],
      logStd: logStds,
      action: actions[r],
      mask,
    };
    const { logProb } = rowStatistics(spec, row);
    expect(Math.abs(logProbs[r] - logProb)).toBeLessThan(2e-5 * (1 + Math.abs(logProb)));
    expect(Math.abs(values[r] - s.trace.values[r])).toBeLessThan(2e-5 * (1 + Math.abs(s.trace.values[r])));
    if (mask?.includes(1)) for (const a of actions[r]) expect(a).toBeGreaterThanOrEqual(0);
  }
  expect(compared).toBeGreaterThan(0.9 * numRows);
  return s;
}

describe('createKernelPolicy', () => {
  it.each(DISTRIBUTIONS)('acts like the float64 reference: %s', (_, distribution) => {
    for (const build of ['relaxed', 'strict'] as const) {
      checkAgainstReference(makeSpec(distribution, { normalize: true }), 70, build);
      checkAgainstReference(makeSpec(distribution, { shared: true, hiddenSizes: [33, 17] }), 9, build);
    }
  });

  it.each(ACTIVATION_NAMES)('covers activation %s', (activation) => {
    checkAgainstReference(makeSpec(gaussian(2), { activation, hiddenSizes: [37, 64, 5] }), 6);
  });

  it('covers action masks, and never takes a forbidden action', () => {
    const spec = makeSpec(categorical(5, 9), { masks: true });
    const s = checkAgainstReference(spec, 200);
    s.rowsOf(s.actions, 2).forEach(([a, b], r) => {
      const mask = s.masks.subarray(14 * r, 14 * (r + 1));
      if (mask.subarray(0, 5).includes(1)) expect(mask[a]).toBe(1);
      if (mask.subarray(5).includes(1)) expect(mask[5 + b]).toBe(1);
    });
  });

  it('covers no hidden layer, one-wide layers and uint8 observations', () => {
    for (const shared of [false, true]) {
      checkAgainstReference(makeSpec(categorical(3), { hiddenSizes: [], shared }), 5);
      checkAgainstReference(makeSpec(gsde(2), { hiddenSizes: [], shared, observationSize: 7 }), 5);
      checkAgainstReference(makeSpec(bernoulli(1), { hiddenSizes: [1, 1], shared, observationSize: 1 }), 5);
    }
    const bytes = { observationDtype: 'uint8', observationSize: 21, normalize: true } as const;
    checkAgainstReference(makeSpec(categorical(3), bytes), 5);
    checkAgainstReference(makeSpec(categorical(3), { ...bytes, normalize: false, hiddenSizes: [8] }), 5);
  });

  it('clips normalised observations', () => {
    const spec = makeSpec(gaussian(1), { normalize: true, clip: 0.3, observationSize: 6 });
    checkAgainstReference(spec, 8);
  });

  it('agrees on random shapes, odd ones included', () => {
    const stream = openStream(3, 'shapes');
    const size = () => 1 + stream.integer(300);
    for (let k = 0; k < 12; k++) {
      const hiddenSizes = Array.from({ length: stream.integer(4) }, size);
      const options = { observationSize: size(), hiddenSizes, shared: k % 2 === 0 };
      checkAgainstReference(
        makeSpec(k % 3 === 0 ? categorical(size()) : gaussian(size()), options),
        1 + stream.integer(20),
      );
    }
  });

  it.each(DISTRIBUTIONS)('gives a row the same bits whatever rows share the call: %s', (_, distribution) => {
    const spec = makeSpec(distribution, { hiddenSizes: [30, 64], normalize: true });
    const numRows = 131;
    const together = setUp(spec, numRows);
    together.act(0, numRows);
    for (const maxRows of [1, 7, 200]) {
      const apart = setUp(spec, numRows, 'relaxed', maxRows);
      for (let first = 0; first < numRows; first += 7) apart.act(first, Math.min(7, numRows - first));
      expect(apart.actions).toEqual(together.actions);
      expect(apart.logProbs).toEqual(together.logProbs);
      expect(apart.values).toEqual(together.values);
    }
    const single = setUp(spec, numRows);
    for (let first = 0; first < numRows; first++) single.act(first, 1);
    expect(single.actions).toEqual(together.actions);
    expect(single.logProbs).toEqual(together.logProbs);
    expect(single.values).toEqual(together.values);
  });

  it('gives the mode when deterministic, without reading noise', () => {
    for (const [, distribution] of DISTRIBUTIONS) {
      const spec = makeSpec(distribution);
      const s = setUp(spec, 9);
      s.noise.fill(Number.NaN);
      s.act(0, 9, true);
      s.rowsOf(s.actions, actionSize(distribution)).forEach((action, r) => {
        const modes = modeOf(distribution, s.trace.outputs[r]);
        expect(action.length).toBe(modes.length);
        action.forEach((a, k) => {
          expect(a).toBeCloseTo(modes[k], 5);
        });
      });
    }
  });

  it('gives values alone, the same bits as acting gives', () => {
    for (const shared of [false, true]) {
      const spec = makeSpec(categorical(4), { shared, hiddenSizes: [20, 31] });
      const s = setUp(spec, 75);
      s.act(0, 75);
      const fromAct = s.rowsOf(s.values, 1).flat();
      s.values.fill(0);
      s.policy.values({
        numRows: 75,
        weightsAddress: s.weights.slotAddress(s.version),
        observationAddress: s.regions.observations.offset + 4 * spec.observationSize,
        observationStride: STEPS * spec.observationSize,
        valueAddress: s.regions.values.offset,
        valueStride: 1,
        maskAddress: 0,
        maskStride: 0,
      });
      expect(Array.from(s.values.subarray(0, 75))).toEqual(fromAct);
    }
  });

  it('samples categoricals with their probabilities', () => {
    // a grid of uniforms: the share of each action must be its probability to 1/numRows
    const spec = makeSpec(categorical(4), { hiddenSizes: [], observationSize: 1 });
    const numRows = 4000;
    const s = setUp(spec, numRows);
    const counts = [0, 0, 0, 0];
    const observations = new Float32Array(s.buffer, s.regions.observations.offset, numRows * STEPS);
    observations.fill(0.5);
    for (let r = 0; r < numRows; r++) s.noise[r] = (r + 0.5) / numRows;
    s.act(0, numRows);
    for (const [a] of s.rowsOf(s.actions, 1)) counts[a]++;
    const probabilities = logSoftmax(forwardReference(spec, s.parameters, [[0.5]]).outputs[0]).map(Math.exp);
    counts.forEach((count, a) => {
      expect(Math.abs(count / numRows - probabilities[a])).toBeLessThan(2 / numRows);
    });
  });

  it('throws when the scratch cannot hold four rows', () => {
    const spec = makeSpec(categorical(2));
    const planner = createArenaPlanner();
    const weightLayout = reserveWeightBuffer(planner, mlpParameterLayout(spec).size, 4);
    const scratch = planner.reserve(100);
    const arena = createArena(planner);
    const kernels = instantiateKernels(builds.strict, arena.memory);
    expect(() => createKernelPolicy(kernels, spec, arena, scratch, weightLayout)).toThrow(
      expect.objectContaining({ code: 'SHAPE_POLICY_SCRATCH' }),
    );
  });
});
