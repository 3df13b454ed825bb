/** What came before as part of what is seen: the action and the reward of the step that led to an observation. */
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { flatActionSize, flattenActionSpace } from './flatten-action.ts';
import { flattenObservationSpace } from './flatten-space.ts';
import { describeSpace } from './space-json.ts';
import { Box, Dict, type FlatAction, type Space } from './spaces.ts';
import type { ActionArray, ObservationArray, StepRows, VectorEnv } from './vector-env.ts';
import { wrapVectorEnv } from './wrappers/wrap-vector-env.ts';

/** Which of the two; `both` = action, then reward. */
export type PreviousInputs = 'action' | 'reward' | 'both';

/** Where the parts lie behind an observation of `size` elements. */
interface Parts {
  readonly size: number;
  readonly action: FlatAction | null;
  /** Elements of the action's part: one-hot for a choice, 0 or 1 for bits, the action itself for a Box. */
  readonly actionWidth: number;
  readonly hasReward: boolean;
  readonly width: number;
}

/** An action's elements as inputs. */
function widthOf(action: FlatAction): number {
  if (action.kind === 'product') return action.parts.reduce((sum, part) => sum + widthOf(part), 0);
  return action.kind === 'categorical' ? action.sizes.reduce((sum, n) => sum + n, 0) : action.size;
}

/**
 * The environment with the last action and the last reward behind each observation, as policies for partly observed worlds want them
 * (Duan et al. 2016, arXiv:1611.02779, section 2.2; Kapturowski et al. 2019, section 2.3).
 *
 *     observation -> { observation, previousAction [A'] f32, previousReward [1] f32 }
 *
 * A choice among n actions is one-hot, several choices one after the other, bits 0 or 1, a Box the action that the environment got; the reward is the
 * environment's own. Both are 0 in an episode's first observation, which no step led to. They are part of the true last observation, too. What is
 * stored, normalised, exported and asked for by `act` is all of it.
 *
 * Trap: whoever acts outside of training gives all three parts.
 *
 * Thread: as the environment's. Cost: a copy of a few numbers a row.
 *
 * @throws {@link ConfigError} `CONFIG_PREVIOUS_INPUTS` for uint8 observations, which numbers of another kind cannot stand beside, and for environments
 *   that do not reset in the step that ends an episode.
 */
export function withPreviousInputs(env: VectorEnv, inputs: PreviousInputs): VectorEnv {
  const { size, dtype } = flattenObservationSpace(env.observationSpace);
  if (dtype === 'uint8' || env.autoreset !== 'same-step') {
    throw new ConfigError(
      'CONFIG_PREVIOUS_INPUTS',
      `previousInputs ('${inputs}') needs float32 observations and autoreset 'same-step', got ${describeSpace(env.observationSpace)} and '${env.autoreset}'. Leave it out.`,
    );
  }
  const action = inputs === 'reward' ? null : flattenActionSpace(env.actionSpace);
  const actionWidth = action === null ? 0 : widthOf(action);
  const hasReward = inputs !== 'action';
  const parts: Parts = { size, action, actionWidth, hasReward, width: actionWidth + (hasReward ? 1 : 0) };
  const previous = new Float32Array(env.numRows * parts.width); // [rows, width] f32
  const inner = innerRows(env, size);
  const write = (n: number, target: ObservationArray, at: number) => {
    for (let k = 0; k < parts.width; k++) target[at + size + k] = previous[n * parts.width + k];
  };
  const writeRow = (n: number, out: StepRows) =>
    write(n, out.observations, out.observationOffset + n * out.observationStride);
  const forget = (n: number) => previous.fill(0, n * parts.width, (n + 1) * parts.width);
  const remember = (n: number, actions: ActionArray, offset: number, reward: number) => {
    encodeAction(parts, actions, offset, previous, n * parts.width);
    if (hasReward) previous[(n + 1) * parts.width - 1] = reward;
  };
  const A = flatActionSize(env.actionSpace);
  const noteStep = (n: number, actions: ActionArray, out: StepRows, rows: StepRows) => {
    const i = out.scalarOffset + n * out.scalarStride;
    remember(n, actions, n * A, out.rewards[i]);
    if (out.terminated[i] !== 0 || out.truncated[i] !== 0) {
      const at = n * (size + parts.width);
      for (let k = 0; k < size; k++) out.finalObservations[at + k] = rows.finalObservations[n * size + k];
      write(n, out.finalObservations, at);
      forget(n);
    }
    writeRow(n, out);
  };
  return wrapVectorEnv<VectorEnv>(env, {
    observationSpace: spaceWith(env.observationSpace, parts),
    reset(seeds, out) {
      env.reset(seeds, inner(out));
      previous.fill(0);
      for (let n = 0; n < env.numRows; n++) writeRow(n, out);
    },
    resetRows(mask, seeds, out) {
      env.resetRows(mask, seeds, inner(out));
      for (let n = 0; n < env.numRows; n++) {
        if (mask[n] !== 1) continue;
        forget(n);
        writeRow(n, out);
      }
    },
    step(actions, nextSeeds, out) {
      const rows = inner(out);
      env.step(actions, nextSeeds, rows);
      for (let n = 0; n < env.numRows; n++) noteStep(n, actions, out, rows);
    },
    ...(env.deferred && {
      deferred: {
        ...env.deferred,
        stepRow(n, actions, nextSeeds, out) {
          const rows = inner(out);
          env.deferred?.stepRow(n, actions, nextSeeds, rows);
          noteStep(n, actions, out, rows);
        },
      },
    }),
    ...stateFunctions(env, inner, previous, parts.width, writeRow),
    ...(env.replay && env.lastReward && { replay: createReplay(env, inner, A, forget, remember, writeRow) }),
  });
}

function hasNumbers(action: FlatAction): boolean {
  return action.kind === 'product' ? action.parts.some(hasNumbers) : action.kind === 'box';
}

function spaceWith(observation: Space, { action, actionWidth, hasReward }: Parts): Space {
  const anything = (size: number) => new Box(-Infinity, Infinity, [size]);
  const previousAction =
    action !== null && hasNumbers(action) ? anything(actionWidth) : new Box(0, 1, [Math.max(1, actionWidth)]);
  return new Dict({
    observation,
    ...(action !== null && { previousAction }),
    ...(hasReward && { previousReward: anything(1) }),
  });
}

/** Rows as the environment itself writes them: the same, but for final observations, which lie close together. */
function innerRows({ numRows }: VectorEnv, size: number): (out: StepRows) => StepRows {
  const finalObservations = new Float32Array(numRows * size); // [rows, size] f32
  const rows = { finalObservations } as { -readonly [K in keyof StepRows]: StepRows[K] };
  return (out) => Object.assign(rows, out, { finalObservations });
}

function encodeAction(
  { action }: Parts,
  actions: ActionArray,
  offset: number,
  out: Float32Array,
  at: number,
): void {
  if (action === null) return;
  let element = offset;
  let input = at;
  for (const part of action.kind === 'product' ? action.parts : [action]) {
    if (part.kind === 'categorical') {
      for (const size of part.sizes) {
        out.fill(0, input, input + size);
        out[input + actions[element++]] = 1;
        input += size;
      }
    } else for (let k = 0; k < part.size; k++) out[input++] = actions[element++];
  }
}

/** Where the environment gives its state, what came before is part of it. */
function stateFunctions(
  { getState, setState }: VectorEnv,
  inner: (out: StepRows) => StepRows,
  previous: Float32Array,
  width: number,
  writeRow: (n: number, out: StepRows) => void,
): Pick<VectorEnv, 'getState' | 'setState'> {
  return {
    ...(getState && {
      getState(n) {
        const state = getState(n);
        return state === null
          ? null
          : { state, previous: [...previous.subarray(n * width, (n + 1) * width)] };
      },
    }),
    ...(setState && {
      setState(n, saved, out) {
        const { state = null, previous: before } = (saved ?? {}) as Partial<JsonObject>;
        if (!Array.isArray(before) || before.length !== width || !before.every(Number.isFinite)) {
          throw new ConfigError(
            'CONFIG_PREVIOUS_INPUTS',
            `Expected a saved state with ${width} numbers as \`previous\`: it was saved under other previousInputs. Set them as they were.`,
          );
        }
        setState(n, state, inner(out));
        previous.set(before as number[], n * width);
        writeRow(n, out);
      },
    }),
  };
}

function createReplay(
  env: VectorEnv,
  inner: (out: StepRows) => StepRows,
  numElements: number,
  forget: (n: number) => void,
  remember: (n: number, actions: ActionArray, offset: number, reward: number) => void,
  writeRow: (n: number, out: StepRows) => void,
): NonNullable<VectorEnv['replay']> {
  return (n, seed, actions, numSteps, out) => {
    const isSame = env.replay?.(n, seed, actions, numSteps, inner(out)) ?? false;
    if (seed !== null) forget(n);
    if (isSame && numSteps > 0)
      remember(n, actions, (numSteps - 1) * numElements, env.lastReward?.(n) ?? Number.NaN);
    writeRow(n, out);
    return isSame;
  };
}
