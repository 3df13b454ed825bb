/**
 * Sampling rate: CartPole environment steps per second by environments per worker and workers, everything included (noise,
 * policy, stepping, writes into the rollout); and the policy alone, per row.
 *
 * Episodes are those of a policy that balances (500 steps); `untrained` ones end after about 22 steps, and what ends and begins an
 * episode shows.
 *
 *     npx tsx bench/sampling.bench.ts [--rounds 15] [--envs 4,16,64,256] [--workers 1,2] [--json FILE]
 */
import { locateNetwork } from '../src/algorithm/locate-network.ts';
import { createPolicySpec } from '../src/algorithm/policy-setup.ts';
import type { EnvModuleSource } from '../src/env/env-source.ts';
import { makeVectorEnv } from '../src/env/load-env.ts';
import { initializeRollout } from '../src/experience/layout.ts';
import { createArena, createArenaPlanner } from '../src/memory/arena.ts';
import { initializeParameters } from '../src/policy/initialize.ts';
import { mlpParameterLayout } from '../src/policy/networks/mlp-parameters.ts';
import { noiseSize } from '../src/policy/policy-spec.ts';
import { openStream } from '../src/random/streams.ts';
import { reserveControlWords } from '../src/rollout/control-words.ts';
import { createLocalRunnerGroup } from '../src/rollout/local-runner-group.ts';
import { reserveSampling } from '../src/rollout/sampling-layout.ts';
import { createKernelPolicy, kernelPolicyScratchBytes } from '../src/simd/kernel-policy.ts';
import { instantiateKernels, loadKernels } from '../src/simd/loader.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../src/weights/weight-buffer.ts';
import { interleave, option, printHeader, printTable, type Variant, writeResults } from './harness.ts';

const NUM_ROUNDS = Number(option('rounds', '15'));
const ENVS = option('envs', '4,16,64,256').split(',').map(Number);
const WORKERS = option('workers', '1,2').split(',').map(Number);
const STEPS_PER_WORKER = 32_768;

const SOURCE: EnvModuleSource = {
  kind: 'module',
  id: 'CartPole-v1',
  module: new URL('../envs/cart-pole.ts', import.meta.url).href,
  export: 'cartPole',
  vectorExport: 'cartPoleVector',
  options: {},
  maxEpisodeSteps: 500,
  rewardThreshold: 475,
};

const probe = await makeVectorEnv(SOURCE, 1);
const spec = createPolicySpec(
  probe,
  {
    network: 'mlp',
    networkOptions: {},
    hiddenSizes: [64, 64],
    activation: 'tanh',
    sharedLayers: false,
    convLayers: null,
    orthogonalInit: true,
    hiddenGain: Math.SQRT2,
    policyGain: 0.01,
    valueGain: 1,
    logStdInit: 0,
    squashActions: false,
    useGsde: false,
    gsdeSampleFrequency: -1,
    normalizeObservations: false,
    clipObservation: 10,
  },
  locateNetwork,
);
const layout = mlpParameterLayout(spec);
const untrained = initializeParameters(spec, layout, openStream(1, 'initial'));

/** Untrained weights of the same size, but for one path: push towards the side to which the pole leans and turns. */
function balancingParameters(): Float32Array {
  const parameters = untrained.slice();
  const place = (name: string) => layout.entries.find((entry) => entry.name === name)?.offset ?? 0;
  const [first, second, head] = ['actor/0/kernel', 'actor/1/kernel', 'actor/head/kernel'].map(place);
  [0.1, 0.3, 3, 1].forEach((gain, i) => {
    parameters[first + 64 * i] = gain;
  });
  for (let i = 0; i < 64; i++) parameters[second + 64 * i] = i === 0 ? 2 : 0;
  parameters.set([-20, 20], head);
  return parameters;
}
const balancing = balancingParameters();
const kernels = await loadKernels();

async function sampling(numWorkers: number, envsPerWorker: number, policy: 'balancing' | 'untrained') {
  const numEnvs = numWorkers * envsPerWorker;
  const rolloutLength = Math.max(8, STEPS_PER_WORKER / envsPerWorker);
  const planner = createArenaPlanner();
  const reserved = reserveSampling(planner, spec, numEnvs, rolloutLength);
  const control = reserveControlWords(planner, numWorkers);
  const bytes = kernelPolicyScratchBytes(spec, envsPerWorker);
  const scratch = Array.from({ length: numWorkers }, () => planner.reserve(bytes));
  const weights = reserveWeightBuffer(planner, layout.size, spec.observationSize);
  const { memory, buffer } = createArena(planner);
  for (const address of reserved.setAddresses) initializeRollout(buffer, address, reserved.rollout);
  const version = openWeightBuffer(buffer, weights).publish(
    policy === 'balancing' ? balancing : untrained,
    null,
    null,
  );
  const plan = {
    memory,
    kernels,
    spec,
    source: SOURCE,
    seed: 1,
    sampling: reserved,
    weights,
    control,
    acts: true,
    helper: null,
    faultPolicy: { restartFailedEnvs: 'off', nonFinite: 'stop' } as const,
  };
  const limits = {
    deadlineMs: 60_000,
    maxRestarts: 0,
    maxEnvRestarts: 0,
    restartWindowMs: 1,
    memoryMb: null,
  };
  const group = createLocalRunnerGroup({ plan, numEnvs, scratch, central: null, poison: false, ...limits });
  await group.start(null);
  const variant: Variant = {
    name: `${numWorkers} worker(s) x ${envsPerWorker}${policy === 'untrained' ? ', untrained' : ''}`,
    units: numEnvs * rolloutLength,
    run: async () => void (await group.collect(version)),
  };
  return { variant, stop: () => group.stop() };
}

function policyAlone(numRows: number): Variant {
  const planner = createArenaPlanner();
  const weights = reserveWeightBuffer(planner, layout.size, spec.observationSize);
  const scratch = planner.reserve(kernelPolicyScratchBytes(spec, numRows));
  const observations = planner.reserve(4 * numRows * spec.observationSize);
  const noise = planner.reserve(4 * numRows * noiseSize(spec));
  const out = planner.reserve(12 * numRows);
  const arena = createArena(planner);
  const slots = openWeightBuffer(arena.buffer, weights);
  const version = slots.publish(balancing, null, null);
  const policy = createKernelPolicy(instantiateKernels(kernels, arena.memory), spec, arena, scratch, weights);
  const call = {
    numRows,
    weightsAddress: slots.slotAddress(version),
    observationAddress: observations.offset,
    observationStride: spec.observationSize,
    maskAddress: 0,
    maskStride: 0,
    noiseAddress: noise.offset,
    deterministic: false,
    actionAddress: out.offset,
    actionStride: 1,
    logProbAddress: out.offset + 4 * numRows,
    valueAddress: out.offset + 8 * numRows,
    scalarStride: 1,
  };
  const numCalls = Math.ceil(8192 / numRows);
  const run = () => {
    for (let k = 0; k < numCalls; k++) policy.act(call);
  };
  return { name: `policy alone, ${numRows} rows a call`, units: numCalls * numRows, run };
}

printHeader('CartPole sampling, 2x64 actor and 2x64 critic');
const made = [];
for (const numWorkers of WORKERS)
  for (const envsPerWorker of ENVS) made.push(await sampling(numWorkers, envsPerWorker, 'balancing'));
for (const numWorkers of WORKERS) made.push(await sampling(numWorkers, 64, 'untrained'));
const variants = [...made.map(({ variant }) => variant), ...[1, 4, 8, 64, 256].map(policyAlone)];
const timings = await interleave(variants, { numRounds: NUM_ROUNDS, numWarmups: 5 });
await Promise.all(made.map(({ stop }) => stop()));
printTable(
  ['', 'best us/step', 'q1', 'median', 'q3', 'cpu median', 'steps/s best', 'median'],
  timings.map((timing) => [
    timing.name,
    ...[timing.best, timing.lowerQuartile, timing.median, timing.upperQuartile, timing.cpuMedian].map((x) =>
      x.toFixed(3),
    ),
    ...[timing.best, timing.median].map((x) => Math.round(1e6 / x).toLocaleString('en')),
  ]),
);
writeResults({ bench: 'sampling', timings: timings.map(({ samples: _, ...timing }) => timing) });
