/** Simulators that run elsewhere and connect: what the ids `external:`, `stdio:` and `godot:` stand for. */
import type { JsonObject } from '../../json.ts';
import type { AsyncEnv } from '../async-env.ts';
import { deferEnvs } from '../deferred-envs.ts';
import type { ResetResult, StepResult } from '../env.ts';
import type { EnvFaultHandling } from '../env-faults.ts';
import { flattenAction } from '../flatten-action.ts';
import { unflattenObservation } from '../flatten-space.ts';
import type { ActionArray, AutoresetMode, VectorEnv } from '../vector-env.ts';
import { type ExternalOptions, readExternalOptions } from './external-options.ts';
import { type Description, Flag, frameLayout, Operation } from './messages.ts';
import { openHub } from './open-hub.ts';
import type { Hub, Slot } from './parties.ts';

/** One environment of whichever client has one free. @throws ConfigError `CONFIG_ENV_OPTION`, `CONFIG_PORT`; EnvError `ENV_NO_CLIENT`. */
export const externalEnv = async (options?: JsonObject): Promise<AsyncEnv> =>
  createRow(readExternalOptions(options), {});

/** N of them, of one client or several. @throws as {@link externalEnv}. */
export async function externalVectorEnv(
  numEnvs: number,
  { autoreset, ...options }: JsonObject = {},
  faults?: EnvFaultHandling,
): Promise<VectorEnv> {
  const read = readExternalOptions(options);
  const owner = {};
  const create = () => createRow(read, owner);
  return deferEnvs(create, await create(), numEnvs, {
    envId: read.reference,
    autoreset: (autoreset as AutoresetMode | undefined) ?? 'same-step',
    ...(faults !== undefined && { faults }),
  });
}

async function createRow(options: ExternalOptions, owner: object): Promise<AsyncEnv> {
  const hub = await openHub(options);
  try {
    return rowOf(hub, await hub.describe(), options, owner);
  } catch (error) {
    hub.release();
    throw error;
  }
}

function rowOf(hub: Hub, description: Description, options: ExternalOptions, owner: object): AsyncEnv {
  const { observationSpace, actionSpace, masksActions, isRepeatable, metrics: names } = description;
  const { actionSize, hasFloatActions } = frameLayout(description);
  const action: ActionArray = hasFloatActions ? new Float32Array(actionSize) : new Int32Array(actionSize); // [A]
  const maxEpisodeSteps = options.maxEpisodeSteps ?? description.maxEpisodeSteps;
  const isFlat = observationSpace.kind === 'box';
  let slot: Slot | null = null;
  let isClosed = false;
  const read = ({ answer }: Slot): ResetResult => {
    const { observation, mask, metrics } = answer;
    const told = [...metrics].flatMap((value, k) =>
      Number.isNaN(value) ? [] : [[names[k], value] as const],
    );
    return {
      observation: isFlat ? observation : unflattenObservation(observationSpace, observation),
      info: {
        ...(masksActions && { actionMask: mask }),
        ...(told.length > 0 && { metrics: Object.fromEntries(told) }),
      },
    };
  };
  return {
    observationSpace,
    actionSpace,
    asynchronous: true,
    deadlineSeconds: null, // the hub's: waiting for a client is not being late
    isRepeatable,
    masksActions,
    ...(maxEpisodeSteps !== null && { maxEpisodeSteps }),
    async reset({ seed = 0 } = {}) {
      slot ??= await hub.lease(owner);
      await hub.ask(slot, Operation.RESET, seed, null);
      return read(slot);
    },
    async step(given): Promise<StepResult> {
      if (slot === null) throw new TypeError('Expected reset before the first step.');
      flattenAction(actionSpace, given, action, 0);
      await hub.ask(slot, Operation.STEP, 0, action);
      const { reward, flags } = slot.answer;
      return {
        ...read(slot),
        reward,
        terminated: (flags & Flag.TERMINATED) !== 0,
        truncated: (flags & Flag.TRUNCATED) !== 0,
      };
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      if (slot !== null) hub.free(slot);
      hub.release();
    },
  };
}
