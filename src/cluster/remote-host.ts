/** One rollout host, as the learner sees it: opened, asked, and found out when it is silent. */
import { fromErrorMessage } from '../rollout/error-message.ts';
import type { RowState } from '../rollout/row-states.ts';
import { type Bridge, RequestFailure } from './bridge.ts';
import type { AnswerTimes } from './cluster-meter.ts';
import { type Connection, wireVersion } from './connection.ts';
import { type Frame, FrameType } from './frames.ts';
import { checkHello, checkStarted, type Expected } from './handshake.ts';
import { createHeartbeat } from './host-heartbeat.ts';
import {
  decodeMessage,
  encodeMessage,
  type Hello,
  type HostPlan,
  type HostReply,
  type HostRequest,
} from './host-messages.ts';

const START_DEADLINE_MS = 60_000;

export interface HostReplyFrame {
  readonly message: HostReply;
  readonly body: Buffer;
}

/** Where a host's actor is put. */
export interface Placement {
  /** Ray's id of the node; null = Ray chooses. */
  readonly node: string | null;
  /** Beside the host that has reserved the node's CPUs, until rows are dealt out anew. */
  readonly isGuest: boolean;
}

export const ANYWHERE: Placement = { node: null, isGuest: false };

export interface OpenOptions {
  /** A new actor; else its rollout process alone is started anew. */
  readonly fresh: boolean;
  /** Not on the node where it was. */
  readonly isElsewhere: boolean;
  readonly placement: Placement;
}

export interface RemoteHost {
  readonly index: number;
  /** What it said of itself; null = never opened. */
  readonly hello: Hello | null;
  /** Where it was put last. */
  readonly placement: Placement;
  /** Starts it with these states of its rows. @throws RequestFailure; ClusterError for a mismatch; the environment's own error. */
  open(plan: HostPlan, states: readonly RowState[] | null, options: OpenOptions): Promise<HostReply>;
  /** @param version of the weights that it needs; null = none. @throws RequestFailure */
  request(message: HostRequest, version: number | null): Promise<HostReplyFrame>;
  notify(message: HostRequest): void;
  /** Ends its actor. */
  close(): void;
}

interface HostState {
  bridge: Bridge | null;
  incarnation: number;
  hello: Hello | null;
  placement: Placement;
}

/**
 * @param deadlineMs a host that answers no ping for this long counts as lost.
 * @param times of answers are added to.
 */
export function createRemoteHost(
  index: number,
  connection: Connection,
  expected: Expected,
  deadlineMs: number,
  times: AnswerTimes,
): RemoteHost {
  const state: HostState = { bridge: null, incarnation: 0, hello: null, placement: ANYWHERE };
  const listening = createHeartbeat(index, state, deadlineMs);
  const ask = async (
    type: Frame['type'],
    payload: Uint8Array,
    version: number,
    isFragment = false,
  ): Promise<Frame> => {
    const { bridge, incarnation } = state;
    if (bridge === null) throw new RequestFailure('ACTOR_DIED', `host ${index} is not open`);
    return bridge.request(type, { host: index, incarnation, version, isFragment }, payload);
  };
  const request = async (message: HostRequest, version: number | null): Promise<HostReplyFrame> => {
    const { bridge } = state;
    const wire =
      version === null || bridge === null ? 0 : wireVersion(connection.putWeights(bridge, version));
    const begin = performance.now();
    const answer = await listening(() =>
      ask(FrameType.REQUEST, encodeMessage(message), wire, message.kind === 'collect'),
    );
    times.count += 1;
    times.ms += performance.now() - begin;
    return decodeMessage<HostReply>(answer.payload);
  };
  return {
    index,
    get hello() {
      return state.hello;
    },
    get placement() {
      return state.placement;
    },
    async open(plan, states, { fresh, isElsewhere, placement }) {
      state.bridge = await connection.bridge();
      state.incarnation += 1;
      const avoid = isElsewhere ? (state.hello?.rayNode ?? null) : null;
      const said = { fresh, avoid, numCpus: plan.numThreads, ...placement };
      const settings = Buffer.from(JSON.stringify(said));
      state.placement = placement;
      return withinStart(state, index, async () => {
        const hello = await ask(FrameType.OPEN, settings, 0);
        state.hello = JSON.parse(hello.payload.toString()) as Hello;
        checkHello(state.hello, expected);
        const { payload } = await ask(FrameType.REQUEST, encodeMessage({ kind: 'start', plan, states }), 0);
        const { message } = decodeMessage<HostReply>(payload);
        if (message.kind === 'failed') throw fromErrorMessage(message.error);
        if (message.kind === 'started') checkStarted(state.hello, message, expected);
        return message;
      });
    },
    request,
    notify(message) {
      const { bridge, incarnation } = state;
      bridge?.send(FrameType.NOTIFY, { host: index, incarnation, version: 0 }, encodeMessage(message));
    },
    close() {
      const { bridge, incarnation } = state;
      bridge?.send(FrameType.CLOSE, { host: index, incarnation, version: 0 });
    },
  };
}

/** Starting takes its time, in which nothing else is asked. */
async function withinStart<T>(state: HostState, index: number, start: () => Promise<T>): Promise<T> {
  const { bridge } = state;
  const timer = setTimeout(() => {
    const what = `host ${index} was not ready within ${START_DEADLINE_MS / 1000} s`;
    bridge?.abandon(index, new RequestFailure('SILENT', what));
  }, START_DEADLINE_MS);
  try {
    return await start();
  } finally {
    clearTimeout(timer);
  }
}
