/**
 * Steps per second of all agents together: `npm run bench:agents-speed`.
 *
 *     npm run bench:agents-speed -- [--rounds 5] [--only tic-tac-toe] [--python PATH] [--out bench/results/agents-speed.md]
 *
 * For tic-tac-toe, connect four and simple_spread: the game alone with random allowed actions (64 at a time), PPO on it (eight games, 2 x 64, in this
 * process on one thread; whole iterations), and PPO on as many rows of CartPole-v1 as agents act in a step. Beside them, in processes of their own,
 * PettingZoo and mpe2 alone, and Stable-Baselines3 with the same settings: `--python`, or OPERANT_ZOO_PYTHON, is an interpreter that has what
 * bench/agents/zoo_peer.py needs. Samples are taken in turn; processor time counts, since a busy machine's clock does not.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { AgentEnd } from '../src/env/agents/agents-kernel.ts';
import { makeAgentsEnvs } from '../src/env/agents/load-agents-env.ts';
import { createSeatLayout } from '../src/env/agents/seat-layout.ts';
import { resolveEnv } from '../src/env/env-source.ts';
import type { Discrete } from '../src/env/spaces.ts';
import { PPOConfig } from '../src/index.ts';
import { openStream } from '../src/random/streams.ts';
import { printTable } from './harness.ts';
import { describeMachine, load, machineLine } from './machine.ts';
import { median, quantile } from './statistics.ts';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: 'tic-tac-toe,connect-four,simple-spread' },
    python: { type: 'string', default: process.env.OPERANT_ZOO_PYTHON ?? '' },
    out: { type: 'string', default: '' },
  },
});

const GAMES = {
  'tic-tac-toe': { env: 'TicTacToe-v0', numActing: 1, numPeerSteps: 2048 },
  'connect-four': { env: 'ConnectFour-v0', numActing: 1, numPeerSteps: 2048 },
  'simple-spread': { env: 'SimpleSpread-v3', numActing: 3, numPeerSteps: 3072 },
} as const;
type Game = (typeof GAMES)[keyof typeof GAMES];

const NUM_ENVS = 64;
const NUM_STEPS = 400;
const NUM_WORLDS = 8;
const ROLLOUT_LENGTH = 128;
const NUM_ITERATIONS = 20;
/** Contestants in this process, and samples that are thrown away until V8 has compiled them for speed; a peer begins anew for each sample, with its imports outside the clock. */
const NUM_OWN = 3;
const NUM_WARMUPS = 8;
const PEER = fileURLToPath(new URL('./agents/zoo_peer.py', import.meta.url));

/** Steps of agents, and seconds of the processor. */
interface Sample {
  readonly steps: number;
  readonly cpu: number;
}

interface Contestant {
  readonly name: string;
  sample(): Promise<Sample>;
  stop?(): Promise<void>;
}

async function timed(run: () => number | Promise<number>): Promise<Sample> {
  const begin = process.cpuUsage();
  const steps = await run();
  const { user, system } = process.cpuUsage(begin);
  return { steps, cpu: (user + system) / 1e6 };
}

async function gameAlone({ env }: Game): Promise<Contestant> {
  const envs = await makeAgentsEnvs(resolveEnv(env), NUM_ENVS);
  const { seats, results } = envs;
  const { groups, groupOf, actionOffsets, actionStride } = createSeatLayout(seats);
  const stream = openStream(1, 'bench');
  const actions = new Float32Array(NUM_ENVS * actionStride);
  const mask = new Uint8Array(64);
  const row = new Float32Array(256);
  /** Observations are written as a policy would read them; actions are drawn among what is allowed. */
  const choose = (n: number): number => {
    let numActing = 0;
    for (let s = 0; s < seats.length; s++) {
      if (results.acting[s] === 0) continue;
      numActing += 1;
      envs.writeObservation(n, s, row, 0);
      const numActions = (seats[s].actionSpace as Discrete).n;
      let action = stream.integer(numActions);
      if (groups[groupOf[s]].maskSize > 0) {
        envs.writeMask(n, s, mask, 0);
        while (mask[action] === 0) action = (action + 1) % numActions;
      }
      actions[n * actionStride + actionOffsets[s]] = action;
    }
    return numActing;
  };
  const chosen = new Int32Array(NUM_ENVS);
  let seed = 0;
  for (let n = 0; n < NUM_ENVS; n++) {
    envs.reset(n, seed++);
    chosen[n] = choose(n);
  }
  const run = () => {
    let count = 0;
    for (let t = 0; t < NUM_STEPS; t++) {
      for (let n = 0; n < NUM_ENVS; n++) {
        count += chosen[n];
        envs.step(n, actions, n * actionStride);
        if (results.episodeEnd !== AgentEnd.NONE) envs.reset(n, seed++);
        chosen[n] = choose(n);
      }
    }
    return count;
  };
  return { name: 'alone', sample: () => timed(run) };
}

async function training(name: string, env: string, numEnvs: number, perStep: number): Promise<Contestant> {
  const algorithm = await new PPOConfig()
    .environment(env)
    .envRunners({ numEnvRunners: 0, numEnvs, rolloutLength: ROLLOUT_LENGTH })
    .training({ hiddenSizes: [64, 64], minibatchSize: 256, numEpochs: 4 })
    .debugging({ seed: 1 })
    .build();
  const run = async () => {
    for (let k = 0; k < NUM_ITERATIONS; k++) await algorithm.train();
    return NUM_ITERATIONS * numEnvs * ROLLOUT_LENGTH * perStep;
  };
  return { name, sample: () => timed(run), stop: () => algorithm.stop() };
}

function peer(mode: 'alone' | 'train', game: string, numSteps: number): Contestant {
  const sample = async (): Promise<Sample> => {
    const text = execFileSync(flags.python, [PEER, mode, game, String(numSteps)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return JSON.parse(text.trim().split('\n').at(-1) ?? '') as Sample;
  };
  return { name: mode === 'alone' ? 'PettingZoo alone' : 'Stable-Baselines3', sample };
}

async function contestantsOf(name: keyof typeof GAMES): Promise<Contestant[]> {
  const game = GAMES[name];
  const { env, numActing, numPeerSteps } = game;
  return [
    await gameAlone(game),
    await training('PPO', env, NUM_WORLDS, numActing),
    await training('PPO on CartPole rows', 'CartPole-v1', NUM_WORLDS * numActing, 1),
    ...(flags.python === ''
      ? []
      : [peer('alone', name, 4 * numPeerSteps), peer('train', name, numPeerSteps)]),
  ];
}

async function measure(name: keyof typeof GAMES): Promise<string[][]> {
  const contestants = await contestantsOf(name);
  const rates = contestants.map((): number[] => []);
  for (let k = 0; k < NUM_OWN * NUM_WARMUPS; k++) await contestants[k % NUM_OWN].sample();
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const [k, contestant] of contestants.entries()) {
      const { steps, cpu } = await contestant.sample();
      rates[k].push(steps / cpu);
    }
  }
  for (const { stop } of contestants) await stop?.();
  return contestants.map((contestant, k) => [
    name,
    contestant.name,
    short(median(rates[k])),
    `${short(quantile(rates[k], 0.25))} to ${short(quantile(rates[k], 0.75))}`,
    `${median(rates[k].map((rate, r) => rates[1][r] / rate)).toPrecision(2)}`,
  ]);
}

function short(rate: number): string {
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(2)} M` : `${(rate / 1e3).toFixed(1)} k`;
}

const HEADER = ['game', 'what', "agents' steps per processor second", 'quartiles', 'PPO here / this'];
const firstLoad = load();
console.log(`${machineLine(describeMachine())}\nload average ${firstLoad}\n`);
const rows: string[][] = [];
for (const name of flags.only.split(',') as (keyof typeof GAMES)[]) rows.push(...(await measure(name)));
printTable(HEADER, rows);
if (flags.out !== '') {
  const lines = [HEADER, HEADER.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const text = [
    '# Speed of several agents',
    `${machineLine(describeMachine())}. Load average ${firstLoad} to ${load()}. Made by \`npm run bench:agents-speed\`, whose head says what is measured; medians of ${flags.rounds} rounds.`,
    lines.join('\n'),
    '',
  ];
  writeFileSync(flags.out, text.join('\n\n'));
}
