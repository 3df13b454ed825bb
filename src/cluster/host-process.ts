/**
 * The rollout process of a host: `node host-process.ts FD_IN FD_OUT [FD_SHARED]`, in the folder that was shipped. It takes requests one after the
 * other and ends when its input does, whatever killed whoever held the other end.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hasFma } from '../machine/fma.ts';
import { operantVersion } from '../machine/operant-version.ts';
import { toErrorMessage } from '../rollout/error-message.ts';
import {
  createFrameReader,
  encodeHeader,
  type Frame,
  type FrameHeader,
  FrameType,
  SHARED,
} from './frames.ts';
import {
  decodeMessage,
  encodeMessage,
  type Hello,
  type HostPlan,
  type HostRequest,
} from './host-messages.ts';
import { pythonFileOf, withPythonFile } from './python-file.ts';
import { createRolloutHost, type HostAnswer, type RolloutHost } from './rollout-host.ts';
import { createSharedWriter, type SharedWriter, writeAll } from './shared-memory.ts';

/** Files that this process was given. */
interface Wires {
  readonly output: number;
  readonly shared: SharedWriter | null;
}

/** Blocks: who reads is there, or the pipe is closed, which ends us. */
function send({ output, shared }: Wires, header: FrameHeader, payload: readonly Uint8Array[]): void {
  const place = payload.length > 1 ? shared?.write(payload) : undefined;
  if (place === undefined || place === null) writeAll(output, [encodeHeader(header, payload), ...payload]);
  else writeAll(output, [encodeHeader({ ...header, flags: SHARED }, payload, place.length), place]);
}

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

/** Files were shipped under paths relative to the folder that this process runs in. */
function located(plan: HostPlan): HostPlan {
  const here = (path: string) => join(process.cwd(), path);
  const source = { ...plan.source, module: pathToFileURL(here(plan.source.module)).href };
  const python = pythonFileOf(source);
  return { ...plan, source: python === null ? source : withPythonFile(source, here(python)) };
}

interface HostState {
  host: RolloutHost | null;
  cut: AbortController;
}

async function obey(state: HostState, request: HostRequest): Promise<HostAnswer> {
  if (request.kind === 'start') {
    await state.host?.stop();
    state.host = await createRolloutHost(located(request.plan));
    return state.host.start(request.states);
  }
  const { host } = state;
  if (host === null)
    throw new TypeError(`A rollout process was asked for ${request.kind} before it was started.`);
  switch (request.kind) {
    case 'collect':
      return host.collect();
    case 'states':
      return host.states();
    case 'play':
      state.cut = new AbortController();
      return host.play(request.request, state.cut.signal);
    default:
      throw new TypeError(`A rollout process does not answer ${request.kind}.`);
  }
}

const replyTo = (frame: Frame): FrameHeader => ({ ...frame, type: FrameType.REPLY, flags: 0 });

function run(input: number, output: number, sharedFile: number): void {
  const wires = { output, shared: sharedFile < 0 ? null : createSharedWriter(sharedFile) };
  const state: HostState = { host: null, cut: new AbortController() };
  let last: Promise<void> = Promise.resolve();
  const answer = async (frame: Frame) => {
    if (frame.type === FrameType.WEIGHTS) {
      state.host?.useWeights(frame.payload);
      return;
    }
    let result: HostAnswer;
    try {
      result = await obey(state, decodeMessage<HostRequest>(frame.payload).message);
    } catch (error) {
      result = { message: { kind: 'failed', error: toErrorMessage(error), failures: [], restarted: [] } };
    }
    send(wires, replyTo(frame), [encodeMessage(result.message), ...(result.body ?? [])]);
  };
  const receive = createFrameReader((frame) => {
    if (!frame.isIntact) throw new RangeError('The checksum of a frame is wrong.');
    if (frame.type === FrameType.PING) send(wires, replyTo(frame), []);
    else if (frame.type === FrameType.NOTIFY) state.cut.abort();
    else last = last.then(() => answer(frame));
  });
  const stream = new Socket({ fd: input, readable: true, writable: false });
  stream.on('data', receive);
  stream.on('close', () => {
    closeSync(output);
    process.exit(0);
  });
  stream.on('error', () => process.exit(0));
  const hello = { type: FrameType.REPLY, requestId: 0, host: 0, incarnation: 0, version: 0 };
  send(wires, hello, [Buffer.from(JSON.stringify(helloOf()))]);
}

run(Number(process.argv[2]), Number(process.argv[3]), Number(process.argv[4] ?? -1));
