/** One version of a model in memory, ready to act for a batch of rows. */
import { createActionMapping } from '../acting/action-mapping.ts';
import { type LoadPolicyOptions, openPolicyActor } from '../algorithm/load-policy.ts';
import { resolveCheckpoint } from '../checkpoint/load-checkpoint.ts';
import type { Space } from '../env/spaces.ts';
import { ServeError } from '../errors.ts';
import { type ActingSpec, actionDtype, actionSize, isKernelNetwork } from '../policy/policy-spec.ts';

export interface LoadedModel {
  readonly name: string;
  readonly version: string;
  /** Absolute path of its checkpoint. */
  readonly checkpoint: string;
  readonly spec: ActingSpec;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly maxRows: number;
  /** Flat actions of each request, as the environment takes them but without `start` of Discrete. */
  run(batch: readonly BatchRows[]): Promise<(Float32Array | Int32Array)[]>;
}

export interface BatchRows {
  readonly observations: Float32Array | Uint8Array; // [numRows, obsSize]
  readonly masks: Uint8Array | null; // [numRows, maskSize] u8
  readonly numRows: number;
}

export interface ModelSource extends LoadPolicyOptions {
  readonly name: string;
  readonly path: string;
  /** Default: the checkpoint's number. */
  readonly version?: string;
}

/** A checkpoint's number. */
export const versionOf = (checkpoint: string): string => checkpoint.split(/[\\/]/).at(-1) ?? '1';

/** Loads it and acts once, so that the first request finds it warm. @throws as `loadPolicy`; ServeError `SERVE_RECURRENT`, `SERVE_ONE_OWNER`. */
export async function loadModel(
  { name, path, version, ...options }: ModelSource,
  { maxRows, kernelsOnly }: { readonly maxRows: number; readonly kernelsOnly: boolean },
): Promise<LoadedModel> {
  const checkpoint = await resolveCheckpoint(path);
  const { spec, createActor, observationSpace, actionSpace } = await openPolicyActor(checkpoint, options);
  if (spec.network.kind === 'recurrent') {
    const message = `The policy ${path} is recurrent, and the server does not keep states of sessions yet: act with \`loadPolicy\`.`;
    throw new ServeError('SERVE_RECURRENT', 501, message);
  }
  if (kernelsOnly && !isKernelNetwork(spec.network)) {
    const message = `The policy ${path} runs on TensorFlow, which has one owner, and this server has several processes: serve it with \`workers: 1\`.`;
    throw new ServeError('SERVE_ONE_OWNER', 409, message);
  }
  const actor = createActor(maxRows);
  const mapAction = createActionMapping(spec);
  const A = actionSize(spec.distribution);
  const isDiscrete = actionDtype(spec.distribution) === 'int32';
  const { observationSize, actionMaskSize } = spec;
  const act = async (numRows: number): Promise<void> => {
    if ('actNow' in actor) actor.actNow(numRows, true);
    else await actor.act(numRows, true);
  };
  const run: LoadedModel['run'] = async (batch) => {
    let first = 0;
    for (const { observations, masks, numRows } of batch) {
      actor.observations.set(observations, first * observationSize);
      if (masks !== null) actor.masks?.set(masks, first * actionMaskSize);
      first += numRows;
    }
    await act(first);
    let row = 0;
    return batch.map(({ numRows }) => {
      const actions = isDiscrete ? new Int32Array(numRows * A) : new Float32Array(numRows * A); // [numRows, A]
      for (let r = 0; r < numRows; r++, row++) mapAction(actor.actions, row * A, actions, r * A);
      return actions;
    });
  };
  actor.masks?.fill(1);
  await act(1);
  return {
    name,
    version: version ?? versionOf(checkpoint),
    checkpoint,
    spec,
    observationSpace,
    actionSpace,
    maxRows,
    run,
  };
}
