/** One host of a study's trials, as the driver sees it: an actor that owns a process, which is asked one thing after the other. */
import type { Bridge } from '../../cluster/bridge.ts';
import type { BridgeLink } from '../../cluster/bridge-link.ts';
import { type Frame, FrameType } from '../../cluster/frames.ts';
import { checkHello, type Expected } from '../../cluster/handshake.ts';
import { createHeartbeat } from '../../cluster/host-heartbeat.ts';
import { decodeMessage, encodeMessage, type Hello } from '../../cluster/host-messages.ts';
import { fromErrorMessage } from '../../rollout/error-message.ts';
import type { TrialReply, TrialRequest } from './trial-messages.ts';

export interface TrialAnswer {
  /** A failure is thrown. */
  readonly message: Exclude<TrialReply, { readonly kind: 'failed' }>;
  readonly body: Buffer;
}

export interface TrialHost {
  /** Ray's id of the node that it is on. */
  readonly node: string;
  /** Whether it answers; false after the deadline at the latest. */
  isThere(): Promise<boolean>;
  /** @param body behind the message. @returns its answer, and what stands behind that. @throws RequestFailure; an error of its own. */
  ask(message: TrialRequest, body?: Buffer): Promise<TrialAnswer>;
  /** Its training ends with a checkpoint. */
  stop(): void;
  /** Ends it, and what runs in it. */
  close(): void;
}

export interface TrialHostOptions {
  readonly link: BridgeLink;
  readonly expected: Expected;
  readonly deadlineMs: number;
  readonly numCpus: number;
}

/**
 * Waits for a node that has room, however long that takes.
 *
 * @param index of which there is no other. @param avoid id of a node where it should not be; null = none.
 * @throws RequestFailure; ClusterError `CLUSTER_MISMATCH` and as the link.
 */
export async function openTrialHost(
  index: number,
  avoid: string | null,
  { link, expected, deadlineMs, numCpus }: TrialHostOptions,
): Promise<TrialHost> {
  const bridge: Bridge = await link.bridge();
  const address = { host: index, incarnation: 1, version: 0 };
  const open = Buffer.from(JSON.stringify({ fresh: true, avoid, numCpus }));
  const close = () => bridge.send(FrameType.CLOSE, address);
  const answer: Frame = await bridge.request(FrameType.OPEN, address, open);
  const hello = JSON.parse(answer.payload.toString()) as Hello;
  try {
    checkHello(hello, expected);
  } catch (error) {
    close();
    throw error;
  }
  const listening = createHeartbeat(index, { bridge, incarnation: address.incarnation }, deadlineMs);
  return {
    node: hello.rayNode,
    isThere: () =>
      listening(() => bridge.request(FrameType.PING, address, new Uint8Array(0))).then(
        () => true,
        () => false,
      ),
    async ask(message, body = Buffer.alloc(0)) {
      const payload = Buffer.concat([encodeMessage(message), body]);
      const { payload: said } = await listening(() => bridge.request(FrameType.REQUEST, address, payload));
      const reply = decodeMessage<TrialReply>(said);
      if (reply.message.kind === 'failed') throw fromErrorMessage(reply.message.error);
      return { message: reply.message, body: reply.body };
    },
    stop: () => bridge.send(FrameType.NOTIFY, address),
    close,
  };
}
