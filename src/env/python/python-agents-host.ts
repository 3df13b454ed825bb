/** What is asked of a Python process that hosts environments of several agents, and what it answers: host/agents_host.py from this side. */
import type { JsonObject } from '../../json.ts';
import type { AgentSeat } from '../agents/agents-kernel.ts';
import { createSeatLayout, type SeatLayout } from '../agents/seat-layout.ts';
import { flatSize } from '../flatten-space.ts';
import { spaceFromJson } from '../space-json.ts';
import type { Space } from '../spaces.ts';
import { MAX_METRICS, tooManyMetrics } from '../user-results.ts';
import type { ObservationArray } from '../vector-env.ts';
import { errorInPython, type PythonProcess, startPython } from './python-process.ts';

const HEADER_BYTES = 16;

export const AgentsOperation = { RESET: 1, STEP: 2, OBSERVE: 3, RENDER: 4, REBUILD: 5 } as const;

/** What an environment answered last, seat by seat; as it stands until that environment is asked again. S = number of seats. */
export interface AgentsAnswer {
  readonly whole: Uint8Array;
  readonly header: Uint32Array; // [4] u32
  readonly rewards: Float64Array; // [S] f64
  readonly acting: Uint8Array; // [S] u8
  readonly ended: Uint8Array; // [S] u8, AgentEnd
  /** Whose observation is here. */
  readonly hasSeen: Uint8Array; // [S] u8
  readonly masks: readonly Uint8Array[]; // [S][maskSize] u8
  readonly state: Float32Array; // [stateSize] f32
  readonly observations: readonly ObservationArray[]; // [S][obsSize]
  /** Name, value. */
  metrics: Float64Array; // [>= 2 * numMetrics] f64
  numMetrics: number;
}

export interface AgentsHost {
  readonly process: PythonProcess;
  readonly seats: readonly AgentSeat[];
  readonly layout: SeatLayout;
  readonly stateSize: number;
  readonly hasPictures: boolean;
  readonly answers: readonly AgentsAnswer[]; // [numEnvs]
  nameOf(index: number): string;
  /**
   * @param argument seed of a reset, seat of an observation.
   * @returns what `render` gave, else null.
   * @throws EnvError `ENV_RESET_THREW`, `ENV_STEP_THREW`, `ENV_OBSERVATION_SHAPE`; `ENV_PYTHON_EXITED`, `ENV_PYTHON_HUNG` when the process is gone.
   */
  ask(operation: number, n: number, argument: number, actions?: Float32Array): JsonObject | null;
}

/** @throws ConfigError as `startPython`. */
export function startAgentsHost(
  python: string,
  reference: string,
  config: JsonObject,
  numEnvs: number,
): AgentsHost {
  const process = startPython(python, reference, { ...config, numEnvs });
  try {
    return createAgentsHost(process, numEnvs);
  } catch (error) {
    process.close();
    throw error;
  }
}

function createAgentsHost(process: PythonProcess, numEnvs: number): AgentsHost {
  const { hello } = process;
  const seats = readSeats(hello);
  const layout = createSeatLayout(seats);
  const stateSize = hello.stateSpace === null ? 0 : flatSize(spaceFromJson(hello.stateSpace ?? null));
  const answers = Array.from({ length: numEnvs }, () => createAnswer(layout, stateSize));
  const aside = createAnswer(layout, stateSize); // a reply's other fields are of whichever environment was played last
  const names: string[] = [];
  const command = new Uint8Array(HEADER_BYTES + 4 * layout.actionStride);
  const words = new Uint32Array(command.buffer, 0, 4);
  const actionsSent = new Float32Array(command.buffer, HEADER_BYTES, layout.actionStride);
  const receive = (answer: AgentsAnswer): JsonObject | null => {
    process.read(answer.whole);
    const [numBytes, numMetrics, textLength] = answer.header;
    answer.numMetrics = numMetrics;
    process.output.passOn(false);
    const numRest = numBytes + HEADER_BYTES - answer.whole.length;
    if (numRest === 0) return null;
    const rest = new Uint8Array(numRest);
    process.readRest(rest);
    if (answer.metrics.length < 2 * numMetrics) answer.metrics = new Float64Array(4 * numMetrics);
    new Uint8Array(answer.metrics.buffer).set(rest.subarray(0, 16 * numMetrics));
    if (textLength === 0) return null;
    const text = JSON.parse(new TextDecoder().decode(rest.subarray(16 * numMetrics))) as JsonObject;
    names.push(...(text.names as readonly string[]));
    if (names.length > MAX_METRICS) throw tooManyMetrics('a run');
    const [error] = text.errors as readonly JsonObject[];
    if (error !== undefined) throw errorInPython(error);
    return text.extra as JsonObject | null;
  };
  return {
    process,
    seats,
    layout,
    stateSize,
    hasPictures: hello.renderMode !== null,
    answers,
    nameOf: (index) => names[index],
    ask(operation, n, argument, actions) {
      words.set([operation, n, argument, actions === undefined ? 0 : 4 * layout.actionStride]);
      if (actions === undefined) process.write(command.subarray(0, HEADER_BYTES));
      else {
        actionsSent.set(actions);
        process.write(command);
      }
      if (operation !== AgentsOperation.OBSERVE && operation !== AgentsOperation.RENDER)
        return receive(answers[n]);
      const extra = receive(aside);
      if (operation === AgentsOperation.OBSERVE)
        answers[n].observations[argument].set(aside.observations[argument]);
      return extra;
    },
  };
}

function readSeats(hello: JsonObject): readonly AgentSeat[] {
  return (hello.agents as readonly JsonObject[]).map((seat) => ({
    name: seat.name as string,
    observationSpace: spaceFromJson(seat.observationSpace ?? null) as Space,
    actionSpace: spaceFromJson(seat.actionSpace ?? null) as Space,
    masksActions: seat.masksActions === true,
  }));
}

/** The fixed part of an answer, and views into it; as `lay_out` in Python. */
function createAnswer({ groups, groupOf }: SeatLayout, stateSize: number): AgentsAnswer {
  const numSeats = groupOf.length;
  const seatGroups = groupOf.map((g) => groups[g]);
  const masksAt = HEADER_BYTES + 11 * numSeats;
  const masksEnd = masksAt + seatGroups.reduce((sum, { maskSize }) => sum + maskSize, 0);
  const stateAt = HEADER_BYTES + padTo(masksEnd - HEADER_BYTES, 8);
  const rowBytes = seatGroups.map(
    ({ observationSize, observationDtype }) => observationSize * (observationDtype === 'uint8' ? 1 : 4),
  );
  const rowsAt = offsets(
    rowBytes.map((size) => padTo(size, 4)),
    stateAt + 4 * stateSize,
  );
  const { buffer } = new Uint8Array(rowsAt[numSeats]);
  const flags = (k: number) => new Uint8Array(buffer, HEADER_BYTES + (8 + k) * numSeats, numSeats);
  const masksOffsets = offsets(
    seatGroups.map(({ maskSize }) => maskSize),
    masksAt,
  );
  return {
    whole: new Uint8Array(buffer),
    header: new Uint32Array(buffer, 0, 4),
    rewards: new Float64Array(buffer, HEADER_BYTES, numSeats),
    acting: flags(0),
    ended: flags(1),
    hasSeen: flags(2),
    masks: seatGroups.map(({ maskSize }, s) => new Uint8Array(buffer, masksOffsets[s], maskSize)),
    state: new Float32Array(buffer, stateAt, stateSize),
    observations: seatGroups.map(({ observationSize, observationDtype }, s) =>
      observationDtype === 'uint8'
        ? new Uint8Array(buffer, rowsAt[s], observationSize)
        : new Float32Array(buffer, rowsAt[s], observationSize),
    ),
    metrics: new Float64Array(16),
    numMetrics: 0,
  };
}

const padTo = (size: number, to: number): number => Math.ceil(size / to) * to;

/** Where each of some things begins that lie behind one another, and where the last one ends. */
function offsets(sizes: readonly number[], begin: number): number[] {
  const found = [begin];
  for (const size of sizes) found.push((found.at(-1) ?? begin) + size);
  return found;
}
