/** Programs that Operant starts, and that speak over their input and output: u32 length, u8 kind (0 JSON, 1 frame), body. */
import { type ChildProcess, spawn } from 'node:child_process';
import { ConfigError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { ExternalOptions } from './external-options.ts';
import { createFrames } from './frames.ts';
import { reasonFor } from './hub.ts';
import { Garbage, PROTOCOL, readHello } from './messages.ts';
import type { Client, Front, Gate, Link } from './parties.ts';

const Kind = { JSON: 0, FRAME: 1 } as const;
const HEADER_BYTES = 5;
const MAX_MESSAGE_BYTES = 2 ** 28;
const END_MS = 2000;

/** Starts a program when an environment is wanted that none has free. @throws ConfigError `CONFIG_ENV_OPTION` for an empty command. */
export async function startPrograms(options: ExternalOptions, gate: Gate): Promise<Front> {
  const [command, ...given] = splitCommand(options.name);
  const running = new Set<Program>();
  let isClosed = false;
  const starting = () => [...running].some(({ hasJoined }) => !hasJoined());
  return {
    address: `the output of \`${options.name}\``,
    want() {
      if (isClosed || starting()) return;
      const program = startProgram(command, given, options, gate, () => running.delete(program));
      running.add(program);
    },
    setIdle(isIdle) {
      for (const program of running) program.setIdle(isIdle);
    },
    close() {
      isClosed = true;
      for (const program of running) program.end();
    },
  };
}

/** Words, those with spaces in quotes. */
function splitCommand(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, word]) => double ?? single ?? word,
  );
}

interface Program {
  hasJoined(): boolean;
  setIdle(isIdle: boolean): void;
  end(): void;
}

function startProgram(
  command: string,
  given: readonly string[],
  options: ExternalOptions,
  gate: Gate,
  forget: () => void,
): Program {
  const { reference } = options;
  const child = spawn(command, given, {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: process.platform !== 'win32', // a group of its own, ended with all that it starts
    env: { ...process.env, OPERANT_EXTERNAL: 'stdio:' },
  });
  let client: Client | null = null;
  let why: string | null = null;
  const write = (kind: number, body: Uint8Array) => {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(body.length);
    header[4] = kind;
    child.stdin.write(Buffer.concat([header, body]));
  };
  const say = (json: JsonObject) => write(Kind.JSON, Buffer.from(JSON.stringify(json)));
  const frames = createFrames((bytes) => write(Kind.FRAME, bytes));
  const stop = (reason: string) => {
    why ??= reason;
    child.stdin.end();
    setTimeout(() => kill(child), END_MS).unref();
  };
  const link: Link = { isLockstep: false, send: frames.send, end: () => stop('the run has ended') };
  const greet = (hello: JsonObject) => {
    const description = readHello(hello);
    frames.open(() => {
      client = gate.join(description, link);
      return client;
    });
    say({ operant: PROTOCOL, stepDeadlineSeconds: options.stepDeadlineSeconds });
  };
  const read = createReader((kind, body) => {
    if (kind === Kind.FRAME) frames.read(body);
    else if (client === null) greet(parse(body));
    else frames.readText(parse(body));
  });
  child.stdout.on('data', (chunk: Buffer) => {
    if (why !== null) return;
    try {
      read(chunk);
    } catch (error) {
      const reason = reasonFor(error);
      gate.tell(`the program was ended: ${reason}`);
      say({ error: reason });
      stop(reason);
      client?.leave(reason);
      if (client === null) gate.giveUp(unusable(reference, reason));
    }
  });
  child.stdin.on('error', () => undefined); // it is gone, and its end is told below
  child.on('error', (error) => {
    forget();
    gate.giveUp(unusable(reference, error.message));
  });
  child.on('exit', (code, signal) => {
    forget();
    const reason = why ?? `the program ended (${signal ?? `code ${code}`})`;
    client?.leave(reason);
    if (client === null) gate.giveUp(unusable(reference, `${reason} before it said hello`));
  });
  return {
    hasJoined: () => client !== null,
    setIdle: (isIdle) => setRef(child, isIdle),
    end: () => stop(''),
  };
}

function unusable(reference: string, reason: string): ConfigError {
  return new ConfigError(
    'CONFIG_ENV_PROGRAM',
    `The program of ${reference} cannot be used: ${reason}. What it printed stands above (its standard output is for Operant alone).`,
  );
}

/** Messages of a stream of bytes. */
function createReader(onMessage: (kind: number, body: Uint8Array) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER_BYTES) {
      const length = rest.readUInt32LE();
      const kind = rest[4];
      if (length > MAX_MESSAGE_BYTES || kind > Kind.FRAME)
        throw new Garbage(
          'Expected messages of length (u32), kind (0 JSON, 1 frame), body on standard output, and nothing else',
        );
      if (rest.length < HEADER_BYTES + length) return;
      const body = rest.subarray(HEADER_BYTES, HEADER_BYTES + length);
      rest = rest.subarray(HEADER_BYTES + length);
      onMessage(kind, body);
    }
  };
}

function parse(body: Uint8Array): JsonObject {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as JsonObject;
  } catch {}
  throw new Garbage('Expected a JSON object');
}

function setRef(child: ChildProcess, isIdle: boolean): void {
  const parts = [child, child.stdin, child.stdout] as { ref?: () => void; unref?: () => void }[];
  for (const part of parts) (isIdle ? part.unref : part.ref)?.call(part);
}

function kill({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // it has ended in between
  }
}
