/** What the framework's own kernels say of many rows, as a rollout gets it: actions, their log-probabilities, values. */
import { createActionMapping } from '../../src/acting/action-mapping.ts';
import { createActionNoise } from '../../src/acting/noise.ts';
import { createRowPolicy, rowPolicyScratchBytes } from '../../src/acting/row-policies.ts';
import type { ExportSource } from '../../src/export/policy-source.ts';
import type { SelfTest } from '../../src/export/self-test.ts';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { actionDtype, actionSize, isBehaviour, noiseSize } from '../../src/policy/policy-spec.ts';
import { openStream } from '../../src/random/streams.ts';
import { instantiateKernels } from '../../src/simd/kernels.ts';
import { loadKernels } from '../../src/simd/loader.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../../src/weights/weight-buffer.ts';

export interface KernelRows {
  readonly actions: Float32Array | Int32Array; // [numRows, A], as the environment takes them but for `start`
  readonly logProbs: Float32Array | null; // [numRows]
  readonly values: Float32Array | null; // [numRows]
}

/** @param observations [numRows, obsSize]. @param masks [numRows, maskSize] u8. @param seed of what is drawn; null = the most likely action. */
export async function actOnKernels(
  { spec, parameters, statistics }: ExportSource,
  { numRows, observations, masks }: Pick<SelfTest, 'numRows' | 'observations' | 'masks'>,
  seed: number | null,
): Promise<KernelRows> {
  const kernels = await loadKernels({ shared: false, deterministic: false });
  const planner = createArenaPlanner();
  const weightLayout = reserveWeightBuffer(planner, parameters.length, spec.observationSize);
  const scratch = planner.reserve(rowPolicyScratchBytes(spec, numRows));
  const A = actionSize(spec.distribution);
  const reserve = (numElements: number) => planner.reserve(4 * numElements).offset;
  const [atObservations, atMasks] = [reserve(observations.length), reserve(masks?.length ?? 0)];
  const [atNoise, atActions] = [reserve(numRows * noiseSize(spec)), reserve(numRows * A)];
  const [atLogProbs, atValues] = [reserve(numRows), reserve(numRows)];
  const arena = createArena(planner, kernels.shared);
  const { buffer } = arena;
  new Float32Array(buffer, atObservations, observations.length).set(observations);
  new Uint8Array(buffer, atMasks, masks?.length ?? 0).set(masks ?? []);
  const noise = new Float32Array(buffer, atNoise, numRows * noiseSize(spec));
  if (seed !== null) drawRows(spec, numRows, noise, seed);
  const weights = openWeightBuffer(buffer, weightLayout);
  const version = weights.publish(parameters, statistics?.mean ?? null, statistics?.inverseStd ?? null);
  const policy = createRowPolicy(
    instantiateKernels(kernels, arena.memory),
    spec,
    arena,
    scratch,
    weightLayout,
  );
  const [hasLogProbs, hasValues] = [!isBehaviour(spec.distribution), spec.actorOnly !== true];
  policy.act({
    numRows,
    weightsAddress: weights.slotAddress(version),
    observationAddress: atObservations,
    observationStride: spec.observationSize,
    maskAddress: masks === null ? 0 : atMasks,
    maskStride: spec.actionMaskSize,
    noiseAddress: atNoise,
    deterministic: seed === null,
    actionAddress: atActions,
    actionStride: A,
    logProbAddress: hasLogProbs ? atLogProbs : 0,
    valueAddress: hasValues ? atValues : 0,
    scalarStride: 1,
    stateAddress: 0,
  });
  const Actions = actionDtype(spec.distribution) === 'int32' ? Int32Array : Float32Array;
  const actions = new Actions(buffer as ArrayBuffer, atActions, numRows * A);
  const mapAction = createActionMapping(spec);
  for (let row = 0; row < numRows; row++) mapAction(actions, row * A, actions, row * A);
  return {
    actions,
    logProbs: hasLogProbs ? new Float32Array(buffer, atLogProbs, numRows) : null,
    values: hasValues ? new Float32Array(buffer, atValues, numRows) : null,
  };
}

/** Of each row an episode begins, so that noise which is kept for some steps is its own. */
function drawRows(spec: ExportSource['spec'], numRows: number, noise: Float32Array, seed: number): void {
  const actionNoise = createActionNoise(spec, numRows, noise);
  for (let row = 0; row < numRows; row++) {
    actionNoise.begin(row, openStream(seed, 'kernel rows', String(row)).integer(2 ** 32));
    actionNoise.fill(row);
  }
}
