/**
 * Lets Operant train in environments that live here: a browser page, a game, a Node program. One file that needs nothing else.
 *
 *     import { serveEnvs } from 'operant/client';
 *     await serveEnvs('ws://127.0.0.1:11008', {
 *       observationSpace: { kind: 'box', low: -1, high: 1, shape: [2], dtype: 'float32' },
 *       actionSpace: { kind: 'discrete', n: 3, start: 0 },
 *       makeEnv: () => new MyGame(),   // reset(seed) -> { observation }; step(action) -> { observation, reward, terminated, truncated }
 *     });
 *
 * A Node program that Operant starts itself (`--env "stdio:node game.mjs"`) gives the address `stdio:`.
 */

import {
  layoutOf,
  type ReadyAnswer,
  readCommands,
  type Seen,
  type SpaceJson,
  type Stepped,
  writeAnswers,
} from './frames.ts';
import { connectStdio, type Handlers, type Line, webSockets } from './lines.ts';

export type { Seen, SpaceJson, Stepped };

/** One environment; both methods may answer later. */
export interface ServedEnv {
  /** Begins an episode; everything random in it comes from the seed. */
  reset(seed: number): Seen | Promise<Seen>;
  /** @param action a number (discrete), Int32Array (multi-discrete, multi-binary), Float32Array (box; the flat numbers of mixed kinds). */
  step(action: number | Int32Array | Float32Array): Stepped | Promise<Stepped>;
}

export interface ServeOptions {
  readonly observationSpace: SpaceJson;
  readonly actionSpace: SpaceJson;
  /** @param index 0 .. numEnvs - 1. */
  readonly makeEnv: (index: number) => ServedEnv;
  /** @defaultValue 1 */
  readonly numEnvs?: number;
  /** The name behind `external:`; another one is refused. */
  readonly name?: string;
  readonly token?: string;
  readonly masksActions?: boolean;
  readonly maxEpisodeSteps?: number | null;
  readonly metrics?: readonly string[];
  /** false = an episode does not follow from its seed and actions. */
  readonly isRepeatable?: boolean;
  /** How long a server is looked for, at first and after the line broke. @defaultValue 60 */
  readonly retrySeconds?: number;
  /** Where there is no WebSocket (Node 20): the class of the package `ws`. */
  readonly WebSocket?: unknown;
}

const PROTOCOL = 1;
const RETRY_MS = 250;

/**
 * Connects and serves until Operant says that the run has ended; connects anew when the line breaks.
 *
 * @throws Error when it is refused, when no server is found within `retrySeconds`.
 */
export async function serveEnvs(address: string, options: ServeOptions): Promise<void> {
  const { retrySeconds = 60, numEnvs = 1 } = options;
  const envs = Array.from({ length: numEnvs }, (_, index) => options.makeEnv(index));
  const connect = address.startsWith('stdio:') ? connectStdio : await webSockets(address, options.WebSocket);
  for (let lookedSince = Date.now(); ; ) {
    const session = createSession(envs, options);
    const end = await connect(session);
    if (end.refusal !== null || session.refusal() !== null)
      throw new Error(`Operant refused: ${session.refusal() ?? end.refusal}`);
    if (end.isDone) return;
    if (session.wasWelcome()) lookedSince = Date.now();
    else if (Date.now() - lookedSince > retrySeconds * 1000)
      throw new Error(`Found no Operant at ${address} within ${retrySeconds} s.`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

interface Session extends Handlers {
  wasWelcome(): boolean;
  refusal(): string | null;
}

/** One connection: answers every command, those of a frame that are ready together in one frame. */
function createSession(envs: readonly ServedEnv[], options: ServeOptions): Session {
  const layout = layoutOf(options);
  let line: Line | null = null;
  let isWelcome = false;
  let refused: string | null = null;
  let ready: ReadyAnswer[] = [];
  const flush = () => {
    if (ready.length === 0) return;
    const answers = ready;
    ready = [];
    try {
      line?.send(writeAnswers(layout, options, answers));
    } catch (error) {
      for (const { index } of answers) fail(index, error);
    }
  };
  const fail = (env: number, error: unknown) =>
    line?.send(
      JSON.stringify({ failed: { env, message: error instanceof Error ? error.message : String(error) } }),
    );
  const put = (index: number, flags: number, seen: Seen, reward: number) => {
    ready.push({ index, flags, seen, reward });
  };
  const answer = (index: number, isReset: boolean, result: unknown) => {
    if (isReset) put(index, 4, result as Seen, 0);
    else {
      const { terminated, truncated = false, reward } = result as Stepped;
      put(index, (terminated ? 1 : 0) | (truncated ? 2 : 0), result as Stepped, reward);
    }
  };
  const call = (
    index: number,
    isReset: boolean,
    seed: number,
    action: number | Int32Array | Float32Array,
  ) => {
    try {
      const result = isReset ? envs[index].reset(seed) : envs[index].step(action);
      if (!(result instanceof Promise)) answer(index, isReset, result);
      else
        result.then(
          (value: unknown) => {
            answer(index, isReset, value);
            flush();
          },
          (error: unknown) => fail(index, error),
        );
    } catch (error) {
      fail(index, error);
    }
  };
  return {
    wasWelcome: () => isWelcome,
    refusal: () => refused,
    onOpen(opened) {
      line = opened;
      const { makeEnv: _, retrySeconds: __, WebSocket: ___, ...hello } = options;
      line.send(JSON.stringify({ operant: PROTOCOL, numEnvs: envs.length, ...hello }));
    },
    onText(text) {
      const message = JSON.parse(text) as { operant?: number; error?: string };
      if (message.error !== undefined) refused = message.error;
      isWelcome = message.operant === PROTOCOL;
    },
    onFrame(bytes) {
      readCommands(layout, options.actionSpace, bytes, call);
      flush();
    },
  };
}
