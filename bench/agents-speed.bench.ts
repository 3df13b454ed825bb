/**
 * Steps per second of all agents together: `npm run bench:agents-speed`.
 *
 *     npm run bench:agents-speed -- [--rounds 5] [--only tic-tac-toe] [--python PATH] [--out bench/results/agents-speed.md]
 *
 * For tic-tac-toe, connect four and simple_spread: the game alone with random allowed actions (64 at a time), PPO on it (eight games, 2 x 64, in this
 * process on one thread; whole iterations), and PPO on as many single rows as agents act in a step: of CartPole-v1, which sees 4 numbers and has 2 actions,
 * and of a world of next to no cost that has the game's sizes and masks, which tells what several agents take; and the same of learning from replay: DQN, an update
 * of 64 transitions for each four steps of agents. Beside them, in processes of their own,
 * PettingZoo and mpe2 alone, and Stable-Baselines3 with the same settings: `--python`, OPERANT_ZOO_PYTHON, or what `bench:peers` installed (`none`: without), is an interpreter that
 * has what bench/agents/zoo_peer.py needs. Samples are taken in turn; processor time counts, since a busy machine's clock does not.
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { Algorithm } from '../src/algorithm/algorithm.ts';
import { resolveEnv } from '../src/env/env-source.ts';
import { DQNConfig, PPOConfig } from '../src/index.ts';
import type { JsonObject } from '../src/json.ts';
import { playAlone } from './agents/play-alone.ts';
import { registerSameSizes } from './agents/same-sizes.ts';
import { findZoo, sampleZoo } from './agents/zoo-process.ts';
import { printTable } from './harness.ts';
import { describeMachine, load, machineLine } from './machine.ts';
import { median, quantile } from './statistics.ts';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: 'tic-tac-toe,connect-four,simple-spread' },
    python: { type: 'string', default: '' },
    out: { type: 'string', default: '' },
  },
});

/** `sizes` are what an agent sees and does. */
const GAMES = {
  'tic-tac-toe': {
    ...{ env: 'TicTacToe-v0', numActing: 1, numPeerSteps: 2048 },
    sizes: { size: 18, numActions: 9, masksActions: true },
  },
  'connect-four': {
    ...{ env: 'ConnectFour-v0', numActing: 1, numPeerSteps: 2048 },
    sizes: { size: 84, numActions: 7, masksActions: true },
  },
  'simple-spread': {
    ...{ env: 'SimpleSpread-v3', numActing: 3, numPeerSteps: 3072 },
    sizes: { size: 18, numActions: 5, masksActions: false },
  },
} as const;
type Game = (typeof GAMES)[keyof typeof GAMES];

const NUM_ENVS = 64;
const NUM_STEPS = 400;
const NUM_WORLDS = 8;
const ROLLOUT_LENGTH = 128;
const NUM_ITERATIONS = 20;
const NUM_REPLAYED = 5;
/** Contestants in this process, and samples of each that are thrown away until V8 has compiled them for speed; a peer begins anew for each sample, with its imports outside the clock. */
const NUM_OWN = 6;
const NUM_WARMUPS = 8;
/** Places of PPO and of DQN on the game among these. */
const PPO_PLACE = 1;
const DQN_PLACE = 4;
const python = findZoo(flags.python);

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
  const run = await playAlone(resolveEnv(env), NUM_ENVS, NUM_STEPS);
  return { name: 'alone', sample: () => timed(run) };
}

/** What is trained: `numEnvs` environments in each of which `perStep` agents act. */
interface Trained {
  readonly env: string;
  readonly numEnvs: number;
  readonly perStep: number;
  readonly envOptions?: JsonObject;
}

async function training(name: string, { env, numEnvs, perStep, envOptions }: Trained): Promise<Contestant> {
  const algorithm = await new PPOConfig()
    .environment(env, envOptions ?? {})
    .envRunners({ numEnvRunners: 0, numEnvs, rolloutLength: ROLLOUT_LENGTH })
    .training({ hiddenSizes: [64, 64], minibatchSize: 256, numEpochs: 4 })
    .debugging({ seed: 1 })
    .build();
  return sampled(name, algorithm, NUM_ITERATIONS, perStep);
}

/** As many updates for each step of an agent, whoever they are of: environment steps are what paces count. */
async function replaying(name: string, { env, numEnvs, perStep, envOptions }: Trained): Promise<Contestant> {
  const algorithm = await new DQNConfig()
    .environment(env, envOptions ?? {})
    .envRunners({ numEnvRunners: 0, numEnvs })
    .training({ hiddenSizes: [64, 64], batchSize: 64, learningStarts: 1000, replayCapacity: 50_000 })
    .training({ trainEvery: 8, updatesPerStep: perStep / 4, stepsPerIteration: numEnvs * ROLLOUT_LENGTH })
    .debugging({ seed: 1 })
    .build();
  return sampled(name, algorithm, NUM_REPLAYED, perStep);
}

function sampled(name: string, algorithm: Algorithm, numIterations: number, perStep: number): Contestant {
  const run = async () => {
    const first = algorithm.numEnvSteps;
    for (let k = 0; k < numIterations; k++) await algorithm.train();
    return (algorithm.numEnvSteps - first) * perStep;
  };
  return { name, sample: () => timed(run), stop: () => algorithm.stop() };
}

function peer(mode: 'alone' | 'train', game: string, numSteps: number): Contestant {
  const sample = async (): Promise<Sample> => sampleZoo(python, mode, game, numSteps);
  return { name: mode === 'alone' ? 'PettingZoo alone' : 'Stable-Baselines3', sample };
}

async function contestantsOf(name: keyof typeof GAMES): Promise<Contestant[]> {
  const game = GAMES[name];
  const { env, numActing, numPeerSteps, sizes } = game;
  const ofGame = { env, numEnvs: NUM_WORLDS, perStep: numActing };
  const ofRows = { numEnvs: NUM_WORLDS * numActing, perStep: 1 };
  const sameSizes = { ...ofRows, env: 'SameSizes-v0', envOptions: sizes };
  return [
    await gameAlone(game),
    await training('PPO', ofGame),
    await training('PPO on CartPole rows', { ...ofRows, env: 'CartPole-v1' }),
    await training('PPO on rows of the same sizes', sameSizes),
    await replaying('DQN', ofGame),
    await replaying('DQN on rows of the same sizes', sameSizes),
    ...(python === '' ? [] : [peer('alone', name, 4 * numPeerSteps), peer('train', name, numPeerSteps)]),
  ];
}

const baseOf = ({ name }: Contestant) => (name.startsWith('DQN') ? DQN_PLACE : PPO_PLACE);

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
    `${median(rates[k].map((rate, r) => rates[baseOf(contestant)][r] / rate)).toPrecision(2)}`,
  ]);
}

function short(rate: number): string {
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(2)} M` : `${(rate / 1e3).toFixed(1)} k`;
}

const HEADER = ['game', 'what', "agents' steps per processor second", 'quartiles', 'PPO (DQN) here / this'];
registerSameSizes();
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
