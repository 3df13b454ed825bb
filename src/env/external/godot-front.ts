/**
 * Games that carry the plugin of Godot RL Agents, as it is: TCP, frames of u32 length and JSON, and the trainer listens.
 *
 * All agents of a game step together, so a step waits for the actions of all that are leased; those that nobody leases do nothing. The game resets an agent
 * that is done by itself: what it shows then is taken as the first observation of the next episode, and as the last one of the old.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { ConfigError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import type { ActionArray } from '../vector-env.ts';
import type { ExternalOptions } from './external-options.ts';
import { describeGodot, type GodotCodec } from './godot-spaces.ts';
import { reasonFor } from './hub.ts';
import { Flag, Garbage, Operation } from './messages.ts';
import type { Client, Front, Gate, Link } from './parties.ts';

const MAX_MESSAGE_BYTES = 2 ** 26;
const END_MS = 1000;
/** Of the protocol that the plugin speaks. */
const HANDSHAKE = { type: 'handshake', major_version: '0', minor_version: '7' };

/** @throws ConfigError `CONFIG_PORT` when somebody else listens there. */
export async function listenForGodot(options: ExternalOptions, gate: Gate): Promise<Front> {
  const { host, port, reference } = options;
  const sockets = new Set<Socket>();
  let isIdle = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (isIdle) socket.unref();
    serveGame(socket, options, gate);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new ConfigError(
          'CONFIG_PORT',
          `${reference} cannot listen on ${host}:${port}: ${error.code === 'EADDRINUSE' ? 'another program listens there (another run?)' : error.message}. Give another port, and the game \`--port\`.`,
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  return {
    address: addressOf(server, host),
    want: () => undefined,
    setIdle(value) {
      isIdle = value;
      for (const each of [server, ...sockets]) {
        if (value) each.unref();
        else each.ref();
      }
    },
    close() {
      server.close();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, END_MS);
      server.once('close', () => clearTimeout(timer));
    },
  };
}

function addressOf(server: Server, host: string): string {
  const address = server.address();
  return `${host}:${typeof address === 'object' && address !== null ? address.port : 0} (Godot)`;
}

function serveGame(socket: Socket, { connectSeconds }: ExternalOptions, gate: Gate): void {
  let game: Game | null = null;
  let why = 'the connection ended';
  const say = (message: JsonObject) => {
    const body = Buffer.from(JSON.stringify(message));
    const header = Buffer.alloc(4);
    header.writeUInt32LE(body.length);
    socket.write(Buffer.concat([header, body]));
  };
  const refuse = (reason: string) => {
    why = reason;
    gate.tell(`a game was refused: ${reason}`);
    say({ type: 'close' });
    socket.end();
    game?.client.leave(reason);
  };
  const timer = setTimeout(
    () => refuse('it did not say what it is (env_info)'),
    connectSeconds * 1000,
  ).unref();
  const receive = (message: JsonObject) => {
    if (game !== null) {
      game.receive(message);
      return;
    }
    if (message.type !== 'env_info') throw new Garbage(`Expected env_info, got ${String(message.type)}`);
    clearTimeout(timer);
    game = joinGame(message, gate, say, () => {
      say({ type: 'close' });
      socket.end();
    });
  };
  const read = createReader(receive);
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    if (socket.writableEnded) return;
    try {
      read(chunk as Buffer);
    } catch (error) {
      refuse(reasonFor(error));
    }
  });
  socket.on('error', (error) => {
    why = error.message;
  });
  socket.on('close', () => {
    clearTimeout(timer);
    game?.client.leave(why);
  });
  say(HANDSHAKE);
  say({ type: 'env_info' });
}

/** Messages of a stream of bytes. */
function createReader(onMessage: (message: JsonObject) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const length = rest.readUInt32LE();
      if (length > MAX_MESSAGE_BYTES)
        throw new Garbage(`Got a message of ${length} bytes: the limit is ${MAX_MESSAGE_BYTES}`);
      if (rest.length < 4 + length) return;
      const text = rest.toString('utf8', 4, 4 + length);
      rest = rest.subarray(4 + length);
      onMessage(parse(text));
    }
  };
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as JsonObject;
  } catch {}
  throw new Garbage('Expected JSON behind the length of a message');
}

interface Game {
  readonly client: Client;
  receive(message: JsonObject): void;
}

function joinGame(info: JsonObject, gate: Gate, say: (message: JsonObject) => void, end: () => void): Game {
  const { description, codec } = describeGodot(info);
  const { numEnvs } = description;
  const actions = new Array<ActionArray | null>(numEnvs).fill(null); // of those who have acted
  /** What each agent sees. */
  let seen: readonly JsonValue[] | null = null;
  let isResetting = false;
  let isStepping = false;
  const stepWhenAllActed = () => {
    if (isStepping || !client.slots.every(({ isLeased }, k) => !isLeased || actions[k] !== null)) return;
    if (actions.every((action) => action === null)) return;
    isStepping = true;
    say({ type: 'action', action: actions.map((action) => codec.action(action)) });
  };
  const begin = (index: number) => {
    const slot = client.slots[index];
    if (seen === null || slot.asked === null) return;
    codec.observe(seen[index], slot.answer.observation);
    Object.assign(slot.answer, { reward: 0, flags: Flag.RESET });
    client.deliver(slot);
  };
  const link: Link = {
    isLockstep: true,
    end,
    send(index, operation, _seed, action) {
      if (operation === Operation.STEP) {
        actions[index] = action?.slice() ?? null;
        setImmediate(stepWhenAllActed);
      } else if (seen !== null) setImmediate(begin, index);
      else if (!isResetting) {
        isResetting = true;
        say({ type: 'reset' });
      }
    },
  };
  const client = gate.join(description, link);
  return {
    client,
    receive(message) {
      if (message.type === 'reset' && isResetting) {
        isResetting = false;
        seen = listOf(message, 'obs', numEnvs);
        for (let k = 0; k < numEnvs; k++) begin(k);
      } else if (message.type === 'step' && isStepping) {
        isStepping = false;
        seen = listOf(message, 'obs', numEnvs);
        endStep(client, codec, message, seen, actions);
      } else if (message.type !== 'call')
        throw new Garbage(`Got a message of type ${String(message.type)} that nobody asked for`);
    },
  };
}

function endStep(
  client: Client,
  codec: GodotCodec,
  message: JsonObject,
  seen: readonly JsonValue[],
  actions: (ActionArray | null)[],
): void {
  const { slots } = client;
  const rewards = listOf(message, 'reward', slots.length);
  const done = listOf(message, 'done', slots.length);
  const infos = Array.isArray(message.info) ? (message.info as readonly JsonObject[]) : [];
  for (const [k, slot] of slots.entries()) {
    if (actions[k] === null) continue;
    actions[k] = null;
    if (slot.asked === null) continue;
    codec.observe(seen[k], slot.answer.observation);
    const end = infos[k]?.truncated === true ? Flag.TRUNCATED : Flag.TERMINATED;
    Object.assign(slot.answer, { reward: Number(rewards[k]), flags: done[k] ? end : 0 });
    client.deliver(slot);
  }
}

/** @throws Garbage where there is not one for each agent. */
function listOf(message: JsonObject, field: string, count: number): readonly JsonValue[] {
  const value = message[field];
  if (Array.isArray(value) && value.length === count) return value as readonly JsonValue[];
  throw new Garbage(`Expected \`${field}\` to be a list of ${count}, one for each agent`);
}
