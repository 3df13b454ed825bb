/** The Python process that speaks with Ray, as the learner sees it: frames go in, answers come back, and it may die. */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { packageRoot } from '../machine/operant-version.ts';
import { pythonCommand } from '../machine/python.ts';
import type { Traffic } from './cluster-meter.ts';
import { callEnvironment } from './direct-calls.ts';
import { createFrameReader, encodeHeader, type Frame, type FrameCode, FrameType, SHARED } from './frames.ts';
import { createSharedReader, type SharedReader } from './shared-memory.ts';
import { stamp } from './stage-clock.ts';

/** What the bridge is told at its beginning. */
export interface BridgeSettings {
  /** As Ray takes it: `HOST:PORT`, `auto`, `ray://HOST:PORT`. */
  readonly address: string;
  readonly namespace: string;
  /** Folder that is shipped; null = none. */
  readonly workingDir: string | null;
  /** Whether every node is asked what it has. */
  readonly probe: boolean;
  /** On hosts: the Node executable, and what comes before the two file descriptors. */
  readonly node: string;
  readonly arguments: readonly string[];
  readonly resources: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  /** What the autoscaler is asked to make room for, as long as there is a bridge. */
  readonly bundles: readonly Readonly<Record<string, number>>[];
  /** Versions of weights that are kept in the object store. */
  readonly numVersions: number;
  /** Room for an answer in the memory that both share, and how many hosts there are; 0 = none is shared. */
  readonly slotBytes: number;
  readonly numHosts: number;
}

export interface ClusterNode {
  readonly id: string;
  readonly address: string;
  readonly alive: boolean;
  /** It has been given notice: it goes soon. */
  readonly isDraining: boolean;
  readonly resources: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Where it was asked for. */
  readonly probe?: NodeProbe;
}

/** What a node says of itself. */
export interface NodeProbe {
  readonly hostname?: string;
  /** Version of the Node on its raylet's PATH; null = there is none. */
  readonly node?: string | null;
  readonly hasFma?: boolean;
  /** It did not answer. */
  readonly error?: string;
}

export interface ClusterDescription {
  readonly ray: string;
  readonly python: string;
  /** HOST:PORT of the head. */
  readonly head: string;
  /** URL of Ray's dashboard; empty = there is none. */
  readonly dashboard: string;
  /** Id of the node that the bridge is on. */
  readonly here: string;
  /** File descriptor, in the bridge, of the memory that it shares; null = none. */
  readonly shared: number | null;
  readonly nodes: readonly ClusterNode[];
}

/** Why a request came to nothing. */
export type FailureCode =
  | 'NO_RAY'
  | 'VERSION'
  | 'TOKEN'
  | 'NOT_A_NODE'
  | 'RUNTIME_ENV'
  | 'CONNECT'
  | 'NO_NODE'
  | 'CHILD_EXITED'
  | 'ACTOR_DIED'
  | 'RAY_ERROR'
  | 'BRIDGE_EXITED'
  | 'SILENT'
  | 'DRAINING'
  | 'CHECKSUM';

/** A failure between here and a rollout process; what the process itself says is no failure. Never leaves this folder. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface FrameAddress {
  readonly host: number;
  readonly incarnation: number;
  /** 0 = none. */
  readonly version: number;
  /** Whether the answer is a fragment, which may lie in shared memory. Absent = no. */
  readonly isFragment?: boolean;
}

export interface Bridge {
  readonly pid: number;
  readonly isOver: boolean;
  /** @throws RequestFailure */
  connect(settings: BridgeSettings, deadlineMs: number): Promise<ClusterDescription>;
  /** The nodes that there are now. @throws RequestFailure */
  nodes(): Promise<readonly ClusterNode[]>;
  /** Sends a frame that is answered. @throws RequestFailure */
  request(type: FrameCode, address: FrameAddress, payload: Uint8Array): Promise<Frame>;
  /** Sends a frame that is not. */
  send(type: FrameCode, address: FrameAddress, payload?: Uint8Array): void;
  /** What was asked of this host and not answered comes to nothing. */
  abandon(host: number, failure: RequestFailure): void;
  /** Resolves when the process is gone. */
  end(): Promise<void>;
}

interface Pending {
  readonly host: number;
  resolve(frame: Frame): void;
  reject(failure: RequestFailure): void;
}

const END_DEADLINE_MS = 5_000;
const STDERR_BYTES = 4_000;
const WRONG_TOKEN = 'InvalidAuthToken';
const NOWHERE: FrameAddress = { host: 0, incarnation: 0, version: 0 };
/** Of no host: nobody abandons what is asked there. */
const CLUSTER: FrameAddress = { host: 2 ** 32 - 1, incarnation: 0, version: 0 };

function spawnBridge(python: string): ChildProcess {
  return spawn(python, ['-u', join(packageRoot(), 'src/cluster/ray_bridge.py')], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...callEnvironment(),
      RAY_DEDUP_LOGS: '0',
      PYTHONWARNINGS: 'ignore',
      RAY_OVERRIDE_JOB_RUNTIME_ENV: '1', // in a job hosts get what we send, not what the job was sent as
    },
    windowsHide: true,
  });
}

/** Starts the process. Whether there is a Python with Ray shows in `connect`. Thread: main. */
export function startBridge(traffic: Traffic, python: string = pythonCommand()): Bridge {
  const child = spawnBridge(python);
  const [, , stderr, input, output] = child.stdio as [null, null, Readable, Writable, Readable];
  const pending = new Map<number, Pending>();
  const state = { over: null as RequestFailure | null, said: '', nextId: 1, isConnecting: false };
  const exited = watch(child, state, pending);
  stderr.on('data', (chunk: Buffer) => {
    state.said = (state.said + chunk.toString()).slice(-STDERR_BYTES);
    // Ray tries again for half a minute, and then says no more than that it could not connect.
    if (state.isConnecting && state.said.includes(WRONG_TOKEN)) {
      state.over ??= new RequestFailure('TOKEN', `${WRONG_TOKEN}: the token is missing or incorrect`);
      child.kill('SIGKILL');
    }
  });
  const shared = createSharedReader();
  const readShared = (offset: number, length: number) => {
    traffic.numReceived += length;
    return shared.read(offset, length);
  };
  const receive = createFrameReader((frame) => settle(pending, frame), readShared);
  output.on('data', (chunk: Buffer) => {
    traffic.numReceived += chunk.length;
    receive(chunk);
  });
  for (const stream of [input, output, stderr]) stream.on('error', () => undefined); // its end is heard of by 'exit'
  const send = createSend(input, traffic, shared);
  const request = (type: FrameCode, address: FrameAddress, payload: Uint8Array) =>
    new Promise<Frame>((resolve, reject) => {
      if (state.over !== null) {
        reject(state.over);
        return;
      }
      const requestId = state.nextId++;
      pending.set(requestId, { host: address.host, resolve, reject });
      if (type === FrameType.REQUEST) stamp('sent', address.host, requestId);
      send(type, address, requestId, payload);
    });
  return {
    pid: child.pid ?? -1,
    get isOver() {
      return state.over !== null;
    },
    request,
    async connect(settings, deadlineMs) {
      const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      state.isConnecting = true;
      try {
        const answer = await request(FrameType.INIT, NOWHERE, Buffer.from(JSON.stringify(settings)));
        const cluster = JSON.parse(answer.payload.toString()) as ClusterDescription;
        if (cluster.shared !== null) shared.open(`/proc/${child.pid}/fd/${cluster.shared}`);
        return cluster;
      } finally {
        clearTimeout(timer);
        state.isConnecting = false;
      }
    },
    async nodes() {
      const { payload } = await request(FrameType.NODES, CLUSTER, new Uint8Array(0));
      return JSON.parse(payload.toString()) as ClusterNode[];
    },
    send(type, address, payload = new Uint8Array(0)) {
      if (state.over === null) send(type, address, 0, payload);
    },
    abandon: (host, failure) => abandon(pending, host, failure),
    async end() {
      if (state.over === null) {
        send(FrameType.STOP, NOWHERE, 0, new Uint8Array(0));
        input.end();
      }
      const timer = setTimeout(() => child.kill('SIGKILL'), END_DEADLINE_MS);
      await exited;
      clearTimeout(timer);
      shared.close();
    },
  };
}

function createSend(input: Writable, traffic: Traffic, shared: SharedReader) {
  return (type: FrameCode, address: FrameAddress, requestId: number, payload: Uint8Array): void => {
    const { isFragment = false, ...where } = address;
    const flags = isFragment && shared.isOpen ? SHARED : 0;
    if (input.writableCorked === 0) {
      input.cork(); // all that is said in a turn goes out at once: weights, and what each host is asked
      process.nextTick(() => input.uncork());
    }
    input.write(encodeHeader({ type, requestId, flags, ...where }, [payload]));
    traffic.numSent += payload.length;
    if (payload.length > 0) input.write(payload);
  };
}

/** Resolves when the process is gone; whoever waits for an answer hears of it. */
function watch(
  child: ChildProcess,
  state: { over: RequestFailure | null; said: string },
  pending: Map<number, Pending>,
): Promise<void> {
  return new Promise((resolve) => {
    const over = (code: FailureCode, why: string) => {
      state.over ??= new RequestFailure(code, why);
      for (const request of pending.values()) request.reject(state.over);
      pending.clear();
      resolve();
    };
    child.on('error', (error) => over('NO_RAY', error.message));
    child.on('close', (code, signal) => {
      const last = state.said.trim().split('\n').slice(-3).join(' ');
      over('BRIDGE_EXITED', `ended with ${signal ?? `code ${code}`}${last === '' ? '' : `: ${last}`}`);
    });
  });
}

function abandon(pending: Map<number, Pending>, host: number, failure: RequestFailure): void {
  for (const [id, request] of pending) {
    if (request.host !== host) continue;
    pending.delete(id);
    request.reject(failure);
  }
}

function settle(pending: Map<number, Pending>, frame: Frame): void {
  const request = pending.get(frame.requestId);
  if (request === undefined) return; // it was abandoned
  pending.delete(frame.requestId);
  if (frame.type === FrameType.REPLY) stamp('settled', frame.host, frame.requestId);
  if (frame.type === FrameType.FAILED) {
    const { code, message } = JSON.parse(frame.payload.toString()) as { code: FailureCode; message: string };
    request.reject(new RequestFailure(code, message));
  } else if (!frame.isIntact) {
    request.reject(new RequestFailure('CHECKSUM', 'the checksum of an answer is wrong'));
  } else request.resolve(frame);
}
