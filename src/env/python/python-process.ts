/**
 * One Python process and the two pipes to it. All calls block the thread, as the steps of any environment do.
 *
 * Node's own pipes belong to the event loop; these are FIFOs, opened here, handed to the process as its descriptors 3 and 4 and unlinked before it
 * runs. Only the process holds the other ends, so that its death is the end of the file here, and this thread's death there.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, existsSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, EnvError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { createPatientRead, readWhole, readWithoutWaiting } from './patience.ts';
import { openPythonOutput, type PythonOutput } from './python-output.ts';

/** Packages such as torch take long to import; a worker thread has a minute. */
const START_SECONDS = 55;
const END_MS = 3000;
const PROTOCOL = 1;
const MAX_HELLO_BYTES = 2 ** 27;

export interface PythonProcess {
  readonly pid: number;
  /** Shared with it, for observations; null where there is no such memory. */
  readonly sharedFd: number | null;
  readonly output: PythonOutput;
  /** What it said of itself at first. */
  readonly hello: JsonObject;
  isAlive(): boolean;
  /** @throws EnvError `ENV_PYTHON_EXITED`, `ENV_PYTHON_HUNG` */
  write(bytes: Uint8Array): void;
  /** Waits for an answer and fills `view` with its beginning. @throws as `write`. */
  read(view: Uint8Array): void;
  /** Fills `view` with what comes behind it, and is on its way. @throws as `write`. */
  readRest(view: Uint8Array): void;
  /** Asks it to end, and kills it and its children when it does not. */
  close(): void;
}

/** @throws ConfigError `CONFIG_PYTHON` when it cannot be started, `CONFIG_PYTHON_*`, `CONFIG_ENV_*` with what it said of the environment. */
export function startPython(python: string, id: string, config: JsonObject): PythonProcess {
  if (process.platform === 'win32') {
    throw new ConfigError(
      'CONFIG_PYTHON',
      `${id}: environments in Python need Linux or macOS (WSL will do).`,
    );
  }
  const unique = `operant-${process.pid}-${randomUUID()}`;
  const ends = openPipes(unique);
  const sharedFd = openShared(unique);
  const output = openPythonOutput(unique, id);
  const child = spawnHost(python, ends, output, sharedFd);
  closeSync(ends.commandsOut);
  closeSync(ends.repliesIn);
  let death: EnvError | null = null;
  let isClosed = false;
  const end = () => {
    isClosed = true;
    if (child.pid !== undefined) kill(child.pid);
    for (const fd of [ends.commands, ends.replies, ends.waiting, sharedFd]) if (fd !== null) closeSync(fd);
    output.close();
  };
  const die = (): EnvError => {
    if (death !== null) return death;
    death = deathOf(id, output);
    end();
    return death;
  };
  try {
    if (child.pid === undefined) throw notStarted(python, id, '');
    const pollMicroseconds = availableParallelism() > 1 ? (config.pollMicroseconds as number) : 0;
    const words = { ...config, pollMicroseconds, hasShared: sharedFd !== null, startSeconds: START_SECONDS };
    const hello = shakeHands(ends, words, () => notStarted(python, id, output.tail()));
    checkHello(id, hello);
    const readPatiently = createPatientRead(ends, pollMicroseconds / 1000);
    return {
      pid: child.pid,
      sharedFd,
      output,
      hello,
      isAlive: () => !isClosed,
      write: (bytes) => write(isClosed ? null : ends.commands, bytes, die),
      read(view) {
        if (isClosed || !readPatiently(view)) throw die();
      },
      readRest(view) {
        if (isClosed || !readWhole(ends.replies, view)) throw die();
      },
      close() {
        if (isClosed) return;
        if (ends.commands !== null) closeSync(ends.commands);
        ends.commands = null;
        waitForEnd(ends.waiting);
        end();
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

function checkHello(id: string, { error, protocol }: JsonObject): void {
  if (error !== undefined) throw setupError(id, error as JsonObject);
  if (protocol === PROTOCOL) return;
  throw new ConfigError(
    'CONFIG_PYTHON',
    `${id}: Python speaks protocol ${String(protocol)}, and this is ${PROTOCOL}.`,
  );
}

interface Pipes {
  /** null = closed. */
  commands: number | null;
  readonly replies: number;
  /** The same end as `replies`; reading from it never blocks. */
  readonly waiting: number;
  readonly commandsOut: number;
  readonly repliesIn: number;
}

/** A FIFO is opened for reading without waiting first: then there is a reader, and the others do not wait. */
function openPipes(unique: string): Pipes {
  const paths = ['commands', 'replies'].map((name) => join(tmpdir(), `${unique}-${name}`));
  execFileSync('mkfifo', ['-m', '600', ...paths]);
  const [toPython, fromPython] = paths;
  const waitless = constants.O_RDONLY | constants.O_NONBLOCK;
  const first = openSync(toPython, waitless);
  const commands = openSync(toPython, 'w');
  const commandsOut = openSync(toPython, 'r');
  closeSync(first);
  const waiting = openSync(fromPython, waitless);
  const repliesIn = openSync(fromPython, 'w');
  const replies = openSync(fromPython, 'r');
  for (const path of paths) unlinkSync(path);
  return { commands, commandsOut, waiting, repliesIn, replies };
}

function openShared(unique: string): number | null {
  if (!existsSync('/dev/shm')) return null;
  try {
    const path = `/dev/shm/${unique}`;
    const fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return fd;
  } catch {
    return null; // a container without it: everything goes through the pipe
  }
}

/** A group of its own, with whatever it starts; one thread for its mathematics, since each worker has a Python. */
function spawnHost(python: string, ends: Pipes, output: PythonOutput, sharedFd: number | null): ChildProcess {
  const threads = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'];
  const child = spawn(python, ['-u', fileURLToPath(new URL('./host/host.py', import.meta.url))], {
    stdio: ['ignore', output.fd, output.fd, ends.commandsOut, ends.repliesIn, sharedFd ?? 'ignore'],
    detached: true,
    env: {
      ...Object.fromEntries(threads.map((name) => [name, '1'])),
      SDL_VIDEODRIVER: 'dummy',
      ...process.env,
      PYTHONHASHSEED: '0',
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  child.on('error', () => undefined); // seen below: it has no pid
  child.unref();
  return child;
}

/** @param words what Python is told. @returns what it says of itself. */
function shakeHands(ends: Pipes, words: JsonObject, died: () => Error): JsonObject {
  const text = new TextEncoder().encode(JSON.stringify(words));
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, text.length, true);
  const deadline = performance.now() + (START_SECONDS + 5) * 1000;
  try {
    for (const part of [size, text]) writeSync(ends.commands ?? -1, part);
  } catch {
    throw died();
  }
  const fill = (view: Uint8Array) => {
    for (let end = 0; end < view.length; ) {
      const count = readWithoutWaiting(ends.waiting, view.subarray(end));
      if (count === 0 || performance.now() > deadline) throw died();
      if (count === null) pause(2);
      else end += count;
    }
  };
  const header = new Uint8Array(4);
  fill(header);
  const length = new DataView(header.buffer).getUint32(0, true);
  if (length > MAX_HELLO_BYTES) throw died();
  const body = new Uint8Array(length);
  fill(body);
  return JSON.parse(new TextDecoder().decode(body)) as JsonObject;
}

function write(fd: number | null, bytes: Uint8Array, die: () => Error): void {
  if (fd === null) throw die();
  try {
    for (let end = 0; end < bytes.length; ) end += writeSync(fd, bytes, end);
  } catch {
    throw die();
  }
}

function waitForEnd(fd: number): void {
  const rest = new Uint8Array(65536);
  for (const deadline = performance.now() + END_MS; performance.now() < deadline; ) {
    const count = readWithoutWaiting(fd, rest);
    if (count === 0) return;
    if (count === null) pause(1);
  }
}

const nobody = new Int32Array(new SharedArrayBuffer(4));
const pause = (ms: number) => void Atomics.wait(nobody, 0, 0, ms);

function kill(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended, and all that it started
  }
}

function deathOf(id: string, output: PythonOutput): EnvError {
  const tail = output.tail();
  const isHung = /^Timeout \(/m.test(tail);
  const what = isHung
    ? 'took longer than `stepDeadlineSeconds` and was ended; where it was stands below'
    : 'ended in mid-run: killed (out of memory?), os._exit, or a crash of native code';
  return new EnvError(
    isHung ? 'ENV_PYTHON_HUNG' : 'ENV_PYTHON_EXITED',
    `the Python process of ${id} ${what}.${tail === '' ? '' : ` Its last words:\n${tail}`}`,
    {},
    { cause: { isDeath: true } },
  );
}

function notStarted(python: string, id: string, tail: string): ConfigError {
  return new ConfigError(
    'CONFIG_PYTHON',
    `${id} needs Python, and \`${python}\` could not be started or said nothing. Install Python 3.9 or newer, give one with --python PATH, or let ` +
      `Operant keep one: operant python install gymnasium.${tail === '' ? '' : ` Its last words:\n${tail}`}`,
  );
}

function setupError(id: string, { code, message }: JsonObject): ConfigError {
  return new ConfigError(
    (code as `CONFIG_${string}` | null) ?? 'CONFIG_ENV_FACTORY',
    code === null
      ? `The environment ${id} could not be made in Python: ${message}. The traceback stands above.`
      : `${message}`,
  );
}

/** What an environment threw in Python, as `describe` of host/rows.py tells it. */
export function errorInPython({ phase, message, isShape }: JsonObject): EnvError {
  const thrown = phase === 'reset' ? 'ENV_RESET_THREW' : 'ENV_STEP_THREW';
  return new EnvError(
    isShape === true ? 'ENV_OBSERVATION_SHAPE' : thrown,
    `the environment threw in Python: ${String(message)}`,
  );
}
