/** One version of a model in memory, ready to act for a batch of rows. */
import { createActionMapping } from '../acting/action-mapping.ts';
import type { BatchActor, KernelActor } from '../acting/batch-actor.ts';
import { type LoadPolicyOptions, openPolicyActor } from '../algorithm/load-policy.ts';
import { resolveCheckpoint } from '../checkpoint/load-checkpoint.ts';
import type { Space } from '../env/spaces.ts';
import { ServeError } from '../errors.ts';
import { numCellLayers, recurrentStateSize, recurrentTowers } from '../policy/networks/recurrent-state.ts';
import { type ActingSpec, actionDtype, actionSize, actsInRunners } from '../policy/policy-spec.ts';

export interface LoadedModel {
  readonly name: string;
  readonly version: string;
  /** What it was loaded by. */
  readonly source: ModelSource;
  /** Absolute path of its checkpoint. */
  readonly checkpoint: string;
  readonly spec: ActingSpec;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly maxRows: number;
  /** What it holds, by its arrays. */
  readonly bytes: number;
  /** Only a kernel's memory goes with it; TensorFlow's tensors stay. */
  readonly canBeDropped: boolean;
  /** Elements of what it remembers of a row's episode; 0 = nothing. */
  readonly stateSize: number;
  /** Names how these are laid out: a state goes on in another version only where both say the same. */
  readonly stateLayout: string;
  /** At once where kernels run it. */
  run(batch: readonly BatchRows[]): readonly RowAnswers[] | Promise<readonly RowAnswers[]>;
}

export interface BatchRows {
  readonly observations: Float32Array | Uint8Array; // [numRows, obsSize]
  readonly masks: Uint8Array | null; // [numRows, maskSize] u8
  /** Only read; null = episodes begin in all rows. */
  readonly states: Float32Array | null; // [numRows, S] f32
  readonly numRows: number;
}

export interface RowAnswers {
  /** Flat, as the environment takes them but without `start` of Discrete. */
  readonly actions: Float32Array | Int32Array; // [numRows, A]
  /** After the step; empty where the policy remembers nothing. */
  readonly states: Float32Array; // [numRows, S] f32
}

export interface ModelSource extends LoadPolicyOptions {
  readonly name: string;
  readonly path: string;
  /** Default: the checkpoint's number. */
  readonly version?: string;
}

/** A checkpoint's number. */
export const versionOf = (checkpoint: string): string => checkpoint.split(/[\\/]/).at(-1) ?? '1';

/** Loads it and acts once, on TensorFlow once in batches of every size, so that no request finds it cold. @throws as `loadPolicy`; ServeError `SERVE_ONE_OWNER`. */
export async function loadModel(
  source: ModelSource,
  { maxRows, kernelsOnly }: { readonly maxRows: number; readonly kernelsOnly: boolean },
): Promise<LoadedModel> {
  const { name, path, version, ...options } = source;
  const checkpoint = await resolveCheckpoint(path);
  const { spec, createActor, parameters, observationSpace, actionSpace } = await openPolicyActor(
    checkpoint,
    options,
  );
  if (kernelsOnly && !actsInRunners(spec.network)) {
    const message = `The policy ${path} runs on TensorFlow, which has one owner, and this server has several processes: serve it with \`workers: 1\`.`;
    throw new ServeError('SERVE_ONE_OWNER', 409, message);
  }
  const actor = createActor(maxRows);
  const run = createRun(actor, spec);
  const weightBytes = (await actor.prepare?.()) ?? parameters.byteLength;
  await warmUp(run, spec);
  return {
    name,
    source,
    version: version ?? versionOf(checkpoint),
    checkpoint,
    spec,
    observationSpace,
    actionSpace,
    maxRows,
    // Observations of a kernel's actor lie in the memory that holds everything of it.
    bytes: weightBytes + actor.observations.buffer.byteLength,
    canBeDropped: actsInRunners(spec.network),
    stateSize: recurrentStateSize(spec),
    stateLayout: stateLayoutOf(spec),
    run,
  };
}

function createRun(actor: BatchActor | KernelActor, spec: ActingSpec): LoadedModel['run'] {
  const mapAction = createActionMapping(spec);
  const A = actionSize(spec.distribution);
  const S = recurrentStateSize(spec);
  const isDiscrete = actionDtype(spec.distribution) === 'int32';
  const { observationSize, actionMaskSize } = spec;
  const write = (batch: readonly BatchRows[]): number => {
    let first = 0;
    for (const { observations, masks, states, numRows } of batch) {
      actor.observations.set(observations, first * observationSize);
      if (masks !== null) actor.masks?.set(masks, first * actionMaskSize);
      if (S > 0 && states === null) actor.states.fill(0, first * S, (first + numRows) * S);
      else if (states !== null) actor.states.set(states, first * S);
      first += numRows;
    }
    return first;
  };
  const read = (batch: readonly BatchRows[]): readonly RowAnswers[] => {
    let row = 0;
    return batch.map(({ numRows }) => {
      const actions = isDiscrete ? new Int32Array(numRows * A) : new Float32Array(numRows * A); // [numRows, A]
      const states = S === 0 ? NO_STATES : actor.states.slice(row * S, (row + numRows) * S); // [numRows, S] f32
      for (let r = 0; r < numRows; r++, row++) mapAction(actor.actions, row * A, actions, r * A);
      return { actions, states };
    });
  };
  if ('actNow' in actor) {
    return (batch) => {
      actor.actNow(write(batch), true);
      return read(batch);
    };
  }
  return async (batch) => {
    await actor.act(write(batch), true);
    return read(batch);
  };
}

const NO_STATES = new Float32Array(0);

async function warmUp(run: LoadedModel['run'], spec: ActingSpec): Promise<void> {
  const { observationSize, observationDtype, actionMaskSize } = spec;
  const observations =
    observationDtype === 'uint8' ? new Uint8Array(observationSize) : new Float32Array(observationSize); // [obsSize]
  const masks = actionMaskSize > 0 ? new Uint8Array(actionMaskSize).fill(1) : null; // [maskSize] u8
  await run([{ observations, masks, states: null, numRows: 1 }]);
}

function stateLayoutOf(spec: ActingSpec): string {
  const { network } = spec;
  if (network.kind === 'attention') {
    const { numBlocks, window, size, shared } = network;
    return `${shared ? '' : '2 '}windows of ${numBlocks} x ${window} x ${size}`;
  }
  if (network.kind !== 'recurrent') return '';
  const [numTowers, numLayers] = [recurrentTowers(spec).length, numCellLayers(spec)];
  const layers = numLayers === 1 ? '' : ` in ${numLayers} layers`;
  return `${numTowers === 1 ? '' : `${numTowers} `}${network.cell} of ${network.size}${layers}`;
}
