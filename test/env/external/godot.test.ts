/** A scripted game that speaks what the plugin of Godot RL Agents does: TCP, u32 length, JSON. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { registerShippedEnvs } from '../../../envs/index.ts';
import { resolveEnv } from '../../../src/env/env-source.ts';
import { makeVectorEnv } from '../../../src/env/load-env.ts';
import type { JsonObject } from '../../../src/json.ts';
import { openGroup } from '../../rollout/open-group.ts';
import { makeRows } from '../step-rows.ts';
import { freePort } from './programs.ts';

beforeAll(registerShippedEnvs);

interface Game {
  /** What the trainer sent, by type. */
  readonly heard: JsonObject[];
  readonly socket: Socket;
  /** Resolves when the trainer has ended the connection. */
  readonly ended: Promise<unknown>;
}

const one = (value: number, count: number) => new Array(count).fill(value);

/** Agent k walks to k + 2 by moving right; what is seen is where it stands. It begins anew by itself. */
async function play(port: number, numAgents: number, info: object = {}): Promise<Game> {
  const socket = await new Promise<Socket>((resolve) => {
    const attempt = () => {
      const made = connect(port, '127.0.0.1');
      made.once('connect', () => resolve(made));
      made.once('error', () => setTimeout(attempt, 20));
    };
    attempt();
  });
  onTestFinished(() => void socket.destroy());
  const heard: JsonObject[] = [];
  const places = one(0, numAgents);
  const say = (message: object) => {
    const body = Buffer.from(JSON.stringify(message));
    const header = Buffer.alloc(4);
    header.writeUInt32LE(body.length);
    // In two parts: a message need not come whole.
    socket.write(Buffer.concat([header, body.subarray(0, 3)]));
    socket.write(body.subarray(3));
  };
  const see = () => places.map((x) => ({ obs: [x, 1] }));
  const answer = (message: JsonObject) => {
    heard.push(message);
    if (message.type === 'env_info')
      say({
        type: 'env_info',
        observation_space: { obs: { size: [2], space: 'box' } },
        action_space: { move: { size: 2, action_type: 'discrete' } },
        n_agents: numAgents,
        ...info,
      });
    if (message.type === 'reset') say({ type: 'reset', obs: see() });
    if (message.type !== 'action') return;
    const done = places.map((x, k) => {
      places[k] = x + (message.action as { move: number }[])[k].move;
      return places[k] >= k + 2;
    });
    const shown = { type: 'step', obs: see(), reward: places.slice(), done };
    for (const [k, isDone] of done.entries()) if (isDone) places[k] = 0;
    say(shown);
  };
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE()) {
      const end = 4 + rest.readUInt32LE();
      answer(JSON.parse(rest.toString('utf8', 4, end)) as JsonObject);
      rest = rest.subarray(end);
    }
  });
  return { heard, socket, ended: once(socket, 'close') };
}

it('trains in an unchanged game: handshake, one reset, agents that step together and begin anew by themselves', async () => {
  const port = await freePort();
  const game = play(port, 3);
  const source = resolveEnv('godot:Walk', { port });
  const opened = await openGroup({ numEnvs: 3, rolloutLength: 12, source });
  await opened.group.start(null);
  const { rollout } = await opened.group.collect(opened.publish());
  const { heard, ended } = await game;
  expect(heard.slice(0, 3)).toEqual([
    { type: 'handshake', major_version: '0', minor_version: '7' },
    { type: 'env_info' },
    { type: 'reset' },
  ]);
  expect(heard.filter(({ type }) => type === 'action').length).toBe(12);
  for (let n = 0; n < 3; n++) {
    let place = 0;
    for (let t = 0; t < 12; t++) {
      const i = n * 12 + t;
      const move = rollout.actions[i];
      expect((heard[3 + t].action as { move: number }[])[n].move).toBe(move);
      place += move;
      expect(rollout.rewards[i]).toBe(place);
      const isDone = place >= n + 2;
      expect([rollout.terminated[i], rollout.truncated[i]]).toEqual([isDone ? 1 : 0, 0]);
      if (t + 1 < 12) expect(rollout.observations[2 * (i + 1)]).toBe(place);
      if (isDone) place = 0;
    }
  }
  await opened.group.stop();
  await ended;
  expect(heard.at(-1)).toEqual({ type: 'close' });
});

it('continuous actions, images and several parts have their spaces; truncated is told in info', async () => {
  const port = await freePort();
  const game = play(port, 1, {
    observation_space: [{ camera_2d: { size: [1, 2, 3], space: 'box' }, obs: { size: [2], space: 'box' } }],
    action_space: [
      { aim: { size: 2, action_type: 'continuous' }, fire: { size: 3, action_type: 'discrete' } },
    ],
  });
  const env = await makeVectorEnv(resolveEnv('godot:Shooter', { port }), 1);
  expect(env.observationSpace).toMatchObject({
    kind: 'dict',
    spaces: { camera_2d: { shape: [1, 2, 3], dtype: 'uint8' }, obs: { shape: [2], dtype: 'float32' } },
  });
  expect(env.actionSpace).toMatchObject({ kind: 'dict', spaces: { aim: { kind: 'box' }, fire: { n: 3 } } });
  env.close?.();
  (await game).socket.destroy();
});

it.each([
  ['no JSON', (socket: Socket) => socket.write(Buffer.from([2, 0, 0, 0, 1, 2]))],
  ['too much', (socket: Socket) => socket.write(Buffer.from([255, 255, 255, 127]))],
])('a game that sends %s is left, and its row goes on in another', async (_, misbehave) => {
  const port = await freePort();
  const game = play(port, 1);
  const env = await makeVectorEnv(resolveEnv('godot:Walk', { port }), 1);
  const { socket, ended } = await game;
  misbehave(socket);
  await ended;
  await play(port, 1);
  await env.deferred?.reset(0, 1);
  const rows = makeRows(env);
  env.reset(Uint32Array.of(1), rows);
  expect([...rows.observations]).toEqual([0, 1]);
  env.close?.();
});

it('an address beyond this machine is refused: the protocol has no token', async () => {
  await expect(makeVectorEnv(resolveEnv('godot:Walk', { host: '0.0.0.0' }), 1)).rejects.toThrow('no token');
});
