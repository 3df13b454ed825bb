/** Policies that are no networks: random ones, and functions of a user's. */

import type { AgentSpaces } from '../../env/agents/multi-agent-env.ts';
import { flattenAction } from '../../env/flatten-action.ts';
import { unflattenObservation } from '../../env/flatten-space.ts';
import { EnvError } from '../../errors.ts';
import { uniformChoice } from '../../policy/distributions/epsilon-greedy.ts';
import { type ActingSpec, actionSize } from '../../policy/policy-spec.ts';
import { type EpisodeStream, openEpisodeStream } from '../../random/episode-stream.ts';
import type { BatchSizes, PolicyBatch } from './policy-batch.ts';

/** What a user's function is told besides the observation. */
export interface ScriptedContext {
  readonly agent: string;
  /** 1 = allowed; null without masks. [maskSize] u8 */
  readonly actionMask: Uint8Array | null;
  /** Uniform in [0, 1) from this agent's own stream: the only chance that may decide about an action. */
  readonly random: () => number;
}

/** A policy written as a function: it sees what an agent sees, and gives what the environment takes. */
export type ScriptedPolicy = (observation: unknown, context: ScriptedContext) => unknown;

/** Uniform over the allowed actions of each component; within the bounds of a Box (within +-1 where it has none). */
export function createRandomBatch(spec: ActingSpec, sizes: BatchSizes): PolicyBatch {
  const { distribution } = spec;
  const A = actionSize(distribution);
  const elements = elementsOf(distribution);
  return createScriptedBatch(spec, sizes, (batch, k, stream) => {
    const call = { masks: batch.masks, maskOffset: k * spec.actionMaskSize };
    let first = 0;
    elements.forEach(({ choices, low, high }, a) => {
      const uniform = stream.uniform();
      const at = k * A + a;
      if (choices > 0) batch.actions[at] = uniformChoice(call, first, choices, uniform);
      else batch.actions[at] = low === null ? (uniform < 0.5 ? 1 : 0) : low + uniform * (high - low);
      first += choices;
    });
  });
}

/** One element of a stored action. */
interface ActionElement {
  /** Alternatives that a mask lies over; 0 = a bit or a number. */
  readonly choices: number;
  /** null = a bit. Where a number has no bounds, -1 and 1. */
  readonly low: number | null;
  readonly high: number;
}

function elementsOf(distribution: ActingSpec['distribution']): readonly ActionElement[] {
  if (distribution.kind === 'product') return distribution.heads.flatMap(elementsOf);
  if ('sizes' in distribution) return distribution.sizes.map((choices) => ({ choices, low: null, high: 1 }));
  if (distribution.kind === 'bernoulli')
    return Array.from({ length: distribution.size }, () => ({ choices: 0, low: null, high: 1 }));
  const finite = (bound: number, otherwise: number) => (Number.isFinite(bound) ? bound : otherwise);
  const { low, high } = distribution;
  return low.map((bound, a) => ({ choices: 0, low: finite(bound, -1), high: finite(high[a], 1) }));
}

/**
 * @param agentOf name of a row's agent.
 * @throws EnvError `ENV_POLICY_ACTION` when the function throws or gives what is no action.
 */
export function createFunctionBatch(
  name: string,
  spec: ActingSpec,
  { observationSpace, actionSpace }: AgentSpaces,
  sizes: BatchSizes,
  script: ScriptedPolicy,
  agentOf: (row: number) => string,
): PolicyBatch {
  const A = actionSize(spec.distribution);
  const elements = elementsOf(spec.distribution);
  const { observationSize, actionMaskSize } = spec;
  return createScriptedBatch(spec, sizes, (batch, k, stream, row) => {
    const seen = batch.observations.slice(k * observationSize, (k + 1) * observationSize);
    const actionMask = batch.masks?.slice(k * actionMaskSize, (k + 1) * actionMaskSize) ?? null;
    const context = { agent: agentOf(row), actionMask, random: () => stream.uniform() };
    try {
      flattenAction(
        actionSpace,
        script(unflattenObservation(observationSpace, seen), context),
        batch.actions,
        k * A,
      );
      checkAction(elements, batch.actions, k * A, actionMask);
    } catch (cause) {
      throw new EnvError(
        'ENV_POLICY_ACTION',
        `The policy \`${name}\` cannot act for agent \`${context.agent}\`: ${cause instanceof Error ? cause.message : cause}`,
        {},
        { cause },
      );
    }
  });
}

function checkAction(
  elements: readonly ActionElement[],
  actions: ArrayLike<number>,
  at: number,
  mask: Uint8Array | null,
) {
  let first = 0;
  for (let a = 0; a < elements.length; a++) {
    const action = actions[at + a];
    const size = elements[a].choices;
    const isIndex = size === 0 || (Number.isInteger(action) && action >= 0 && action < size);
    if (!Number.isFinite(action) || !isIndex) throw new TypeError(`it gave the action ${action}`);
    if (mask !== null && size > 0 && mask[first + action] === 0)
      throw new TypeError(`it gave the action ${action}, which its mask forbids`);
    first += size;
  }
}

function createScriptedBatch(
  spec: ActingSpec,
  { numRows, maxRows }: BatchSizes,
  choose: (
    batch: Pick<PolicyBatch, 'observations' | 'masks' | 'actions'>,
    k: number,
    stream: EpisodeStream,
    row: number,
  ) => void,
): PolicyBatch {
  const A = actionSize(spec.distribution);
  const numObserved = maxRows * spec.observationSize;
  const streams = Array.from({ length: numRows }, () => openEpisodeStream(0, 'action'));
  const arrays = {
    observations:
      spec.observationDtype === 'uint8' ? new Uint8Array(numObserved) : new Float32Array(numObserved),
    masks: spec.actionMaskSize > 0 ? new Uint8Array(maxRows * spec.actionMaskSize) : null,
    criticInputs: null,
    actions: new Float32Array(maxRows * A), // [B, A]: whole numbers of discrete spaces
    logProbs: new Float32Array(maxRows),
    values: new Float32Array(maxRows),
  };
  return {
    ...arrays,
    hasValues: false,
    useVersion: () => undefined,
    // A stream of its own for every action: how much one draws does not matter to the next.
    beginLife(row, seed, numActs) {
      streams[row].restart(seed);
      for (let k = 0; k < numActs; k++) streams[row].uniform();
    },
    act(rows, count) {
      const own = openEpisodeStream(0, 'action');
      for (let k = 0; k < count; k++) {
        own.restart(streams[rows[k]].integer(2 ** 32));
        choose(arrays, k, own, rows[k]);
      }
    },
    evaluate: () => undefined,
    mapAction(k, out, outOffset) {
      for (let a = 0; a < A; a++) out[outOffset + a] = arrays.actions[k * A + a];
    },
  };
}
