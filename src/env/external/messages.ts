/**
 * What a simulator that connects and Operant say to each other: JSON first (hello, welcome), then frames, little-endian, in words of 4 bytes.
 *
 *     commands  count u32, then per environment: operation u32 (0 reset, 1 step), index u32, seed u32, action [A] (i32, or f32 for a Box)
 *     answers   count u32, then per environment: index u32, flags u32 (1 terminated, 2 truncated, 4 answers a reset), reward f32,
 *               metrics [M] f32 (NaN = none), observation [obsSize] f32 or u8, mask [maskSize] u8; both filled up to whole words
 *
 * A step is never JSON. Every entry of a connection has the same size, so a frame of another length is garbage.
 */
import type { ConfigError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { actionMaskSize, flatActionSize, flattenActionSpace, hasFloatActions } from '../flatten-action.ts';
import { flattenObservationSpace } from '../flatten-space.ts';
import { spaceFromJson, spaceToJson } from '../space-json.ts';
import type { Space } from '../spaces.ts';
import type { ActionArray, ObservationArray } from '../vector-env.ts';

export const PROTOCOL = 1;
export const Operation = { RESET: 0, STEP: 1 } as const;
export const Flag = { TERMINATED: 1, TRUNCATED: 2, RESET: 4 } as const;
const MAX_ENVS = 4096;
const MAX_METRICS = 64;
/** Of an answer to all environments of a client at once. */
const MAX_FRAME_BYTES = 2 ** 28;

/** What a client says of its environments. */
export interface Description {
  /** null = it did not say. */
  readonly name: string | null;
  readonly numEnvs: number;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly masksActions: boolean;
  readonly maxEpisodeSteps: number | null;
  readonly metrics: readonly string[];
  /** Whether an episode follows from its seed and actions. */
  readonly isRepeatable: boolean;
}

/** Sizes of a description's entries. */
export interface FrameLayout {
  readonly actionSize: number;
  readonly hasFloatActions: boolean;
  readonly commandBytes: number;
  readonly obsSize: number;
  readonly obsBytes: number;
  readonly isBytes: boolean;
  readonly maskSize: number;
  readonly numMetrics: number;
  readonly answerBytes: number;
}

/** One environment's answer; its arrays are written again by the next one. */
export interface Answer {
  readonly observation: ObservationArray; // [obsSize]
  readonly mask: Uint8Array; // [maskSize] u8
  readonly metrics: Float32Array; // [M] f32
  reward: number;
  flags: number;
}

/** What a client did that no client may. */
export class Garbage extends Error {
  override readonly name = 'Garbage';
}

/** @throws Garbage naming the field. */
export function readHello(json: JsonObject): Description {
  if (json.operant !== PROTOCOL)
    throw new Garbage(
      `Expected \`operant\`: ${PROTOCOL} (the protocol's version), got ${show(json.operant)}: take the client that came with this version of Operant`,
    );
  const { numEnvs = 1, name = null, metrics = [], maxEpisodeSteps = null } = json;
  const { masksActions = false, isRepeatable = true } = json;
  const require = (isGood: boolean, field: string, wanted: string) => {
    if (!isGood) throw new Garbage(`Expected \`${field}\` to be ${wanted}, got ${show(json[field])}`);
  };
  require(isCount(numEnvs, MAX_ENVS), 'numEnvs', `an integer in [1, ${MAX_ENVS}]`);
  require(name === null || typeof name === 'string', 'name', 'a text');
  require(typeof masksActions === 'boolean', 'masksActions', 'true or false');
  require(typeof isRepeatable === 'boolean', 'isRepeatable', 'true or false');
  require(maxEpisodeSteps === null ||
    isCount(maxEpisodeSteps, 2 ** 31), 'maxEpisodeSteps', 'an integer >= 1');
  require(isNames(metrics), 'metrics', `a list of at most ${MAX_METRICS} names`);
  return {
    name: name as string | null,
    numEnvs: numEnvs as number,
    observationSpace: readSpace(json, 'observationSpace'),
    actionSpace: readSpace(json, 'actionSpace'),
    masksActions: masksActions as boolean,
    maxEpisodeSteps: maxEpisodeSteps as number | null,
    metrics: metrics as readonly string[],
    isRepeatable: isRepeatable as boolean,
  };
}

function isCount(value: JsonValue, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;
}

function isNames(value: JsonValue): boolean {
  return Array.isArray(value) && value.length <= MAX_METRICS && value.every((x) => typeof x === 'string');
}

const show = (value: JsonValue | undefined) => String(JSON.stringify(value)).slice(0, 200);

function readSpace(json: JsonObject, field: string): Space {
  try {
    const space = spaceFromJson(json[field] ?? null);
    if (field === 'actionSpace') flattenActionSpace(space);
    return space;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Garbage(`Expected \`${field}\` to be the JSON of a space: ${reason}`);
  }
}

/** What every client of a run has to have alike; its name and the number of its environments are its own. */
export function sameAs({ name: _, numEnvs: __, ...rest }: Description): JsonObject {
  const { observationSpace, actionSpace } = rest;
  return {
    ...rest,
    observationSpace: spaceToJson(observationSpace),
    actionSpace: spaceToJson(actionSpace),
  };
}

/** @throws Garbage where a whole answer would be too large. */
export function frameLayout(description: Description): FrameLayout {
  const { observationSpace, actionSpace, masksActions, metrics, numEnvs } = description;
  const { size: obsSize, dtype } = flattenObservationSpace(observationSpace);
  const isBytes = dtype === 'uint8';
  const actionSize = flatActionSize(actionSpace);
  const obsBytes = wholeWords(isBytes ? obsSize : 4 * obsSize);
  const maskSize = masksActions ? maskSizeOf(actionSpace) : 0;
  const answerBytes = 12 + 4 * metrics.length + obsBytes + wholeWords(maskSize);
  if (numEnvs * answerBytes > MAX_FRAME_BYTES)
    throw new Garbage(
      `Expected answers of at most ${MAX_FRAME_BYTES} bytes, and ${numEnvs} environments of ${answerBytes} bytes take more: connect several clients`,
    );
  return {
    ...{ actionSize, hasFloatActions: hasFloatActions(actionSpace), commandBytes: 12 + 4 * actionSize },
    ...{ obsSize, obsBytes, isBytes, maskSize, numMetrics: metrics.length, answerBytes },
  };
}

function maskSizeOf(space: Space): number {
  try {
    return actionMaskSize(space);
  } catch (error) {
    throw new Garbage(`\`masksActions\` is true: ${(error as ConfigError).message}`);
  }
}

const wholeWords = (bytes: number) => 4 * Math.ceil(bytes / 4);

export function emptyAnswer({ obsSize, isBytes, maskSize, numMetrics }: FrameLayout): Answer {
  return {
    observation: isBytes ? new Uint8Array(obsSize) : new Float32Array(obsSize),
    mask: new Uint8Array(maskSize),
    metrics: new Float32Array(numMetrics),
    reward: 0,
    flags: 0,
  };
}

/** One environment's command, as it waits to be sent. */
export interface Command {
  readonly operation: number;
  readonly index: number;
  readonly seed: number;
  /** null = of a reset. */
  readonly action: ActionArray | null; // [A]
}

export function writeCommands(layout: FrameLayout, commands: readonly Command[]): Uint8Array {
  const bytes = new ArrayBuffer(4 + commands.length * layout.commandBytes);
  const words = new Uint32Array(bytes);
  const actions = layout.hasFloatActions ? new Float32Array(bytes) : new Int32Array(bytes);
  words[0] = commands.length;
  let at = 1;
  for (const { operation, index, seed, action } of commands) {
    words[at] = operation;
    words[at + 1] = index;
    words[at + 2] = seed;
    if (action !== null) actions.set(action, at + 3);
    at += layout.commandBytes / 4;
  }
  return new Uint8Array(bytes);
}

/**
 * Reads a frame of answers, environment by environment.
 *
 * @param open whose answer is awaited: where it is put, and whether a reset was asked; null = nobody's.
 * @throws Garbage for another length, an environment that was not asked, the other kind of answer.
 */
export function readAnswers(
  layout: FrameLayout,
  bytes: Uint8Array,
  open: (index: number) => { readonly answer: Answer; readonly isReset: boolean } | null,
  onAnswer: (index: number) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length < 4 ? 0 : view.getUint32(0, true);
  if (count === 0 || bytes.length !== 4 + count * layout.answerBytes)
    throw new Garbage(
      `Expected a frame of answers of 4 bytes and ${layout.answerBytes} for each of them, got ${bytes.length} bytes that claim ${count}`,
    );
  for (let k = 0, at = 4; k < count; k++, at += layout.answerBytes) {
    const index = view.getUint32(at, true);
    const flags = view.getUint32(at + 4, true);
    const place = open(index);
    const isReset = (flags & Flag.RESET) !== 0;
    if (place === null || place.isReset !== isReset)
      throw new Garbage(`Got an answer of environment ${index}, flags ${flags}, that nobody asked for`);
    readAnswer(layout, bytes, view, at + 8, place.answer);
    place.answer.flags = flags;
    onAnswer(index);
  }
}

function readAnswer(layout: FrameLayout, bytes: Uint8Array, view: DataView, first: number, to: Answer): void {
  to.reward = view.getFloat32(first, true);
  let at = first + 4;
  for (let k = 0; k < layout.numMetrics; k++, at += 4) to.metrics[k] = view.getFloat32(at, true);
  if (layout.isBytes) to.observation.set(bytes.subarray(at, at + layout.obsSize));
  else for (let k = 0; k < layout.obsSize; k++) to.observation[k] = view.getFloat32(at + 4 * k, true);
  at += layout.obsBytes;
  if (layout.maskSize > 0) to.mask.set(bytes.subarray(at, at + layout.maskSize));
}
