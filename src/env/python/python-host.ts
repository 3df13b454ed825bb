/** What is asked of a Python process and what it answers: the frames of host/frames.py from this side, in arrays that are made once. */
import { readSync } from 'node:fs';
import type { EnvError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { flatActionSize, hasFloatActions } from '../flatten-action.ts';
import { flattenObservationSpace } from '../flatten-space.ts';
import { spaceFromJson } from '../space-json.ts';
import type { Space } from '../spaces.ts';
import { MAX_METRICS, tooManyMetrics } from '../user-results.ts';
import type { ActionArray, AutoresetMode, ObservationArray } from '../vector-env.ts';
import type { PythonOptions } from './python-options.ts';
import { errorInPython, type PythonProcess, startPython } from './python-process.ts';
import { createReplyRows, type ReplyRows } from './reply-rows.ts';

const HEADER_BYTES = 16;
/** From so many bytes of observations on, they go through shared memory: a pipe holds 64 KiB and copies twice (`bench:envs`). */
const SHARED_BYTES = 16384;

const NO_ERRORS: readonly RowError[] = [];

/** What is done with a row. */
export const RowCommand = { SKIP: 0, STEP: 1, RESET: 2, REBUILD: 3 } as const;
const Operation = { STEP: 1, REPEAT: 2, RENDER: 3 } as const;
/** In `ends`. */
export const RowEnd = { TERMINATED: 1, TRUNCATED: 2, FAILED: 4 } as const;

/** What Python says of its environments. */
export interface PythonDescription {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly maskSize: number;
  readonly autoresetModes: readonly AutoresetMode[];
  /** An episode can be led back to where it was by its seed and actions. */
  readonly isRepeatable: boolean;
  /** One row can be reset while the others stand. */
  readonly resetsRows: boolean;
  readonly frameStack: { readonly numFrames: number; readonly groupSize: number } | null;
  readonly renderMode: string | null;
}

/** One row's error, as Python tells it. */
export interface RowError {
  readonly row: number;
  readonly phase: 'reset' | 'step';
  readonly error: EnvError;
}

export interface PythonHost {
  readonly description: PythonDescription;
  readonly process: PythonProcess;
  /** To be filled before `step`. */
  readonly commands: Uint8Array; // [numEnvs] u8, RowCommand
  readonly seeds: Uint32Array; // [numEnvs] u32
  readonly actions: ActionArray; // [numEnvs, actionSize]
  /** Of the last answer; of rows that were skipped, of an earlier one. */
  readonly rewards: Float64Array; // [numEnvs] f64
  readonly ends: Uint8Array; // [numEnvs] u8, RowEnd
  readonly masks: Uint8Array; // [numEnvs, maskSize] u8
  /** @param resets whether a row that ends is reset with its seed. @returns what failed. */
  step(resets: boolean): readonly RowError[];
  /** Steps of one row until its episode ends. @returns how many. */
  repeat(n: number, actions: ActionArray, numSteps: number): { count: number; errors: readonly RowError[] };
  /** Copies a row's observation, or the last one of the episode that ended. */
  copyRow(n: number, isFinal: boolean, out: ObservationArray, offset: number): void;
  /** Numbers of `info`, since the last call of `step`: row, index of the name, value. */
  readonly metrics: Float64Array; // [>= 3 * numMetrics] f64
  numMetrics(): number;
  nameOf(index: number): string;
  render(n: number): JsonObject;
}

export function startHost(python: string, options: PythonOptions, numEnvs: number): PythonHost {
  const { reference } = options;
  const config = { ...options, numEnvs, sharedBytes: SHARED_BYTES } as unknown as JsonObject;
  const process = startPython(python, reference, config);
  try {
    return createHost(process, numEnvs);
  } catch (error) {
    process.close();
    throw error;
  }
}

function createHost(process: PythonProcess, numEnvs: number): PythonHost {
  const description = describe(process.hello);
  const { maskSize } = description;
  const { size: obsSize, dtype } = flattenObservationSpace(description.observationSpace);
  const rowBytes = obsSize * (dtype === 'uint8' ? 1 : 4);
  const usesShared = process.hello.usesShared === true;
  const command = createCommand(numEnvs, description.actionSpace);
  const masksEnd = numEnvs * (9 + maskSize);
  const fixed = HEADER_BYTES + masksEnd + (usesShared ? 0 : numEnvs * rowBytes);
  const reply = new Uint8Array(Math.ceil(fixed / 8) * 8);
  const rows = usesShared
    ? null
    : createReplyRows(reply.subarray(HEADER_BYTES + masksEnd, fixed), numEnvs, obsSize, dtype);
  const ends = reply.subarray(HEADER_BYTES + 8 * numEnvs, HEADER_BYTES + 9 * numEnvs);
  const answer = createAnswer({ process, reply, fixed, ends, rows });
  const { state, names, receive } = answer;
  const send = (operation: number, first: number, second: number, body: Uint8Array) => {
    command.header.set([operation, first, second, body.length]);
    if (body === command.body) process.write(command.whole);
    else {
      process.write(command.whole.subarray(0, HEADER_BYTES));
      process.write(body);
    }
  };
  return {
    description,
    process,
    commands: command.commands,
    seeds: command.seeds,
    actions: command.actions,
    rewards: new Float64Array(reply.buffer, HEADER_BYTES, numEnvs),
    ends,
    masks: reply.subarray(HEADER_BYTES + 9 * numEnvs, HEADER_BYTES + masksEnd),
    get metrics() {
      return state.metrics;
    },
    numMetrics: () => state.numMetrics,
    nameOf: (index) => names[index],
    step(resets) {
      send(Operation.STEP, resets ? 1 : 0, 0, command.body);
      const errors = receive();
      if (state.numFinals === 0) rows?.keepEnded(ends);
      return errors;
    },
    repeat(n, actions, numSteps) {
      const { buffer, byteOffset } = actions;
      const size = (numSteps * command.actions.byteLength) / numEnvs;
      send(Operation.REPEAT, n, numSteps, new Uint8Array(buffer, byteOffset, size));
      const errors = receive();
      return { count: state.extra as number, errors };
    },
    copyRow(n, isFinal, out, offset) {
      if (rows !== null) {
        rows.copy(n, isFinal, out, offset);
        return;
      }
      const to = new Uint8Array(out.buffer, out.byteOffset + offset * out.BYTES_PER_ELEMENT, rowBytes);
      readSync(process.sharedFd ?? -1, to, 0, rowBytes, (isFinal ? numEnvs + n : n) * rowBytes);
    },
    render(n) {
      send(Operation.RENDER, n, 0, new Uint8Array(0));
      receive();
      return state.extra as JsonObject;
    },
  };
}

interface AnswerPlace {
  readonly process: PythonProcess;
  readonly reply: Uint8Array;
  /** Bytes that every answer has. */
  readonly fixed: number;
  readonly ends: Uint8Array; // [numEnvs] u8
  /** null = they lie in shared memory. */
  readonly rows: ReplyRows | null;
}

/** Reads answers: their fixed part into `reply`, what varies into arrays that grow. */
function createAnswer({ process, reply, fixed, ends, rows }: AnswerPlace) {
  const header = new Uint32Array(reply.buffer, 0, 4);
  const always = reply.subarray(0, fixed);
  const names: string[] = [];
  const state = {
    metrics: new Float64Array(48),
    numMetrics: 0,
    numFinals: 0,
    rest: new Uint8Array(1024),
    extra: null as unknown,
  };

  const receive = (): readonly RowError[] => {
    process.read(always);
    const [numBytes, numMetrics, textLength, numFinals] = header;
    const numRest = numBytes + HEADER_BYTES - fixed;
    state.numMetrics = numMetrics;
    state.numFinals = numFinals;
    state.extra = null;
    rows?.take();
    process.output.passOn(false);
    if (numRest === 0) return NO_ERRORS;
    if (state.rest.length < numRest) state.rest = new Uint8Array(2 * numRest);
    const rest = state.rest.subarray(0, numRest);
    process.readRest(rest);
    const metricsAt = rows === null ? 0 : rows.takeFinals(rest, numFinals, ends);
    const textAt = metricsAt + numMetrics * 24;
    if (state.metrics.length < numMetrics * 3) state.metrics = new Float64Array(numMetrics * 6);
    new Uint8Array(state.metrics.buffer).set(rest.subarray(metricsAt, textAt));
    if (textLength === 0) return NO_ERRORS;
    const text = JSON.parse(
      new TextDecoder().decode(rest.subarray(textAt, textAt + textLength)),
    ) as JsonObject;
    names.push(...(text.names as readonly string[]));
    if (names.length > MAX_METRICS) throw tooManyMetrics('a run');
    state.extra = text.extra;
    return (text.errors as readonly JsonObject[]).map(rowError);
  };
  return { state, names, receive };
}

function createCommand(numEnvs: number, actionSpace: Space) {
  const pad = (4 - (numEnvs % 4)) % 4;
  const actionSize = flatActionSize(actionSpace);
  const seedsAt = HEADER_BYTES + numEnvs + pad;
  const actionsAt = seedsAt + 4 * numEnvs;
  const whole = new Uint8Array(actionsAt + 4 * numEnvs * actionSize);
  const actions = hasFloatActions(actionSpace)
    ? new Float32Array(whole.buffer, actionsAt, numEnvs * actionSize)
    : new Int32Array(whole.buffer, actionsAt, numEnvs * actionSize);
  return {
    whole,
    header: new Uint32Array(whole.buffer, 0, 4),
    body: whole.subarray(HEADER_BYTES),
    commands: whole.subarray(HEADER_BYTES, HEADER_BYTES + numEnvs),
    seeds: new Uint32Array(whole.buffer, seedsAt, numEnvs),
    actions,
  };
}

function describe(hello: JsonObject): PythonDescription {
  return {
    ...(hello as unknown as PythonDescription),
    observationSpace: spaceFromJson(hello.observationSpace ?? null),
    actionSpace: spaceFromJson(hello.actionSpace ?? null),
  };
}

function rowError(told: JsonObject): RowError {
  const phase = told.phase === 'reset' ? 'reset' : 'step';
  return { row: told.row as number, phase, error: errorInPython(told) };
}
