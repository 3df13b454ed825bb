/**
 * The wires of a process that a host's actor owns: `node ENTRY FD_IN FD_OUT [FD_SHARED]`. Frames come in, answers go out, and the process ends when its
 * input does, whatever killed whoever held the other end.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { hostname } from 'node:os';
import { hasFma } from '../machine/fma.ts';
import { operantVersion } from '../machine/operant-version.ts';
import {
  createFrameReader,
  encodeHeader,
  type Frame,
  type FrameHeader,
  FrameType,
  SHARED,
} from './frames.ts';
import { encodeMessage, type Hello } from './host-messages.ts';
import { createSharedWriter, type SharedWriter, writeAll } from './shared-memory.ts';

/** What is done with frames; pings are answered here. */
export interface WireHandlers {
  /** A request, or weights. */
  readonly onRequest: (frame: Frame) => void;
  readonly onNotice: () => void;
  /** The input has ended: the process is about to. */
  readonly onClose: () => void;
}

export interface HostWires {
  /** Blocks until it is written. @param body bytes behind the message. */
  reply(frame: Frame, message: object, body?: readonly Uint8Array[]): void;
}

/** Files that this process was given. */
interface Files {
  readonly output: number;
  readonly shared: SharedWriter | null;
}

/** Says hello and listens. Call once. */
export function openHostWires({ onRequest, onNotice, onClose }: WireHandlers): HostWires {
  const [input, output, sharedFile] = [2, 3, 4].map((k) => Number(process.argv[k] ?? -1));
  const files = { output, shared: sharedFile < 0 ? null : createSharedWriter(sharedFile) };
  const receive = createFrameReader((frame) => {
    if (!frame.isIntact) throw new RangeError('The checksum of a frame is wrong.');
    if (frame.type === FrameType.PING) send(files, replyTo(frame), []);
    else if (frame.type === FrameType.NOTIFY) onNotice();
    else onRequest(frame);
  });
  const stream = new Socket({ fd: input, readable: true, writable: false });
  const end = () => {
    onClose();
    process.exit(0);
  };
  stream.on('data', receive);
  stream.on('close', () => {
    closeSync(output);
    end();
  });
  stream.on('error', end);
  const hello = { type: FrameType.REPLY, requestId: 0, host: 0, incarnation: 0, version: 0 };
  send(files, hello, [Buffer.from(JSON.stringify(helloOf()))]);
  return {
    reply: (frame, message, body = []) => send(files, replyTo(frame), [encodeMessage(message), ...body]),
  };
}

/** Blocks: who reads is there, or the pipe is closed, which ends us. */
function send({ output, shared }: Files, header: FrameHeader, payload: readonly Uint8Array[]): void {
  const place = payload.length > 1 ? shared?.write(payload) : undefined;
  if (place === undefined || place === null) writeAll(output, [encodeHeader(header, payload), ...payload]);
  else writeAll(output, [encodeHeader({ ...header, flags: SHARED }, payload, place.length), place]);
}

const replyTo = (frame: Frame): FrameHeader => ({ ...frame, type: FrameType.REPLY, flags: 0 });

function helloOf(): Hello {
  return {
    hostname: hostname(),
    pid: process.pid,
    rayNode: process.env.OPERANT_RAY_NODE ?? '',
    rayActor: process.env.OPERANT_RAY_ACTOR ?? '',
    operant: operantVersion(),
    node: process.versions.node,
    hasFma: hasFma(),
  };
}
