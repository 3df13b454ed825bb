/** What several agents are to learn: settings, and how it is judged. */
import { fileURLToPath } from 'node:url';
import type { RunningAlgorithm } from './judges.ts';
import { judgeCooperation, judgeKuhn, judgeLines, judgeMatches } from './judges.ts';

export interface Verdict {
  readonly value: number;
  readonly isMet: boolean;
  /** What else was measured. */
  readonly detail: string;
}

export interface AgentsRow {
  readonly id: string;
  /** What is asked, in words. */
  readonly bar: string;
  readonly what: string;
  /** Absent = PPO. */
  readonly algorithm?: 'dqn';
  /** Layers of the algorithm's config. */
  readonly config: Record<string, Record<string, unknown>>;
  /** The environment's steps. */
  readonly numSteps: number;
  judge(algorithm: RunningAlgorithm): Promise<Verdict>;
}

const path = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));

const linear = (from: number, to: number) => ({ schedule: 'linear', from, to });

const TIC_TAC_TOE_STEPS = 3_000_000;
const CONNECT_FOUR_STEPS = 8_000_000;
export const ONE_PLY = `${path('one-ply-player.ts')}#play`;
const KUHN_STEPS = 400 * 64 * 32;

/** The average policy is that of 150 snapshots. */
const KUHN = {
  envRunners: { numEnvs: 64, rolloutLength: 32 },
  training: {
    ...{ gamma: 1, gaeLambda: 1, entropyCoeff: 0.1, learningRate: 3e-3 },
    ...{ hiddenSizes: [64], minibatchSize: 256, numEpochs: 4 },
  },
  selfPlay: {
    ...{ selfPlay: 'uniform', snapshotInterval: 2, maxSnapshots: 150 },
    ...{ anchorFraction: 0, pastFraction: 0 },
  },
};

/** After Yu et al. (2022): long batches, no minibatches to speak of. */
const COOPERATION = {
  envRunners: { numEnvs: 64, rolloutLength: 50 },
  training: {
    ...{ learningRate: 7e-4, entropyCoeff: 0.01, numEpochs: 10, hiddenSizes: [64, 64] },
  },
  multiAgent: { critic: 'central', normalizeValues: true },
};

export const ROWS: readonly AgentsRow[] = [
  {
    id: 'tic-tac-toe',
    what: 'lines lost with its likeliest actions against any play, as X + as O',
    bar: '0; expected score against random play at least 0.98 as X, 0.88 as O',
    config: {
      environment: { env: 'TicTacToe-v0' },
      envRunners: { numEnvs: 64, rolloutLength: 64 },
      training: {
        ...{ gamma: 1, gaeLambda: 1, hiddenSizes: [128, 128], minibatchSize: 512, numEpochs: 4 },
        ...{ learningRate: linear(1e-3, 1e-5), entropyCoeff: linear(0.15, 0.01) },
        scheduleSteps: TIC_TAC_TOE_STEPS,
      },
      selfPlay: { selfPlay: 'uniform', snapshotInterval: 50, anchorFraction: 0.2, pastFraction: 0 },
    },
    numSteps: TIC_TAC_TOE_STEPS,
    judge: judgeLines,
  },
  {
    id: 'kuhn',
    what: 'exploitability of the average policy',
    bar: 'below 0.13',
    config: { environment: { env: 'KuhnPoker-v0' }, ...KUHN },
    numSteps: KUHN_STEPS,
    judge: (algorithm) => judgeKuhn(algorithm, (value) => value < 0.13),
  },
  {
    id: 'kuhn-control',
    what: 'the same, where rewards that come while somebody else acts are lost',
    bar: 'above 0.4: the row above can tell',
    config: { environment: { env: path('half-heard-kuhn.ts') }, ...KUHN },
    numSteps: KUHN_STEPS,
    judge: (algorithm) => judgeKuhn(algorithm, (value) => value > 0.4),
  },
  {
    id: 'connect-four',
    what: 'share of 500 games won against a player that wins or stops a win with its next move, from both seats',
    bar: 'at least 0.9; that player is an anchor of the league, too',
    config: {
      environment: { env: 'ConnectFour-v0' },
      envRunners: { numEnvs: 64, rolloutLength: 128 },
      multiAgent: { policies: { default: {}, lookahead: ONE_PLY } },
      training: {
        ...{ gamma: 1, gaeLambda: 0.95, hiddenSizes: [256, 256], activation: 'relu' },
        ...{ minibatchSize: 512, numEpochs: 4, scheduleSteps: CONNECT_FOUR_STEPS },
        ...{ learningRate: linear(1e-3, 2e-5), entropyCoeff: linear(0.01, 0.001) },
      },
      selfPlay: { selfPlay: 'uniform', snapshotInterval: 20, anchorFraction: 0.8, pastFraction: 0.1 },
    },
    numSteps: CONNECT_FOUR_STEPS,
    judge: (algorithm) =>
      judgeMatches(algorithm, {
        ...{ opponent: ONE_PLY, numGames: 500, bar: 0.9 },
      }),
  },
  {
    id: 'simple-spread',
    what: 'return of an agent, 500 episodes, localRatio 0',
    bar: 'above -46 (random play: -53)',
    config: {
      environment: { env: 'SimpleSpread-v3', envOptions: { localRatio: 0 } },
      ...COOPERATION,
      training: { ...COOPERATION.training, gamma: 0.99, minibatchSize: 1600 },
    },
    numSteps: 1_500_000,
    judge: (algorithm) => judgeCooperation(algorithm, { agent: 'agent_0', bar: -46 }),
  },
  {
    id: 'speaker-listener',
    what: 'return of an agent, 500 episodes',
    bar: 'above -15 (random play: -40)',
    config: {
      environment: { env: 'SimpleSpeakerListener-v4' },
      ...COOPERATION,
      training: { ...COOPERATION.training, gamma: 0.95, minibatchSize: 800 },
    },
    numSteps: 800_000,
    judge: (algorithm) => judgeCooperation(algorithm, { agent: 'listener_0', bar: -15 }),
  },
  {
    id: 'pursuit',
    what: 'return of a pursuer, 500 episodes',
    bar: 'above 1.5 (random play: -0.7)',
    config: {
      environment: { env: 'Pursuit-v0' },
      envRunners: { numEnvs: 64, rolloutLength: 64 },
      training: {
        ...{ gamma: 0.98, gaeLambda: 0.95, hiddenSizes: [64, 64], minibatchSize: 2048, numEpochs: 4 },
        ...{ learningRate: 1e-3, entropyCoeff: 0.01 },
      },
    },
    numSteps: 400_000,
    judge: (algorithm) => judgeCooperation(algorithm, { agent: 'pursuer_0', bar: 1.5 }),
  },
  {
    id: 'pursuit-dqn',
    what: 'the same by DQN: one policy for all pursuers, which replays what each of them did',
    bar: 'above 1.5 (random play: -0.7)',
    algorithm: 'dqn',
    config: {
      environment: { env: 'Pursuit-v0' },
      envRunners: { numEnvs: 8 },
      training: {
        ...{ gamma: 0.98, double: true, nStep: 3, hiddenSizes: [64, 64], batchSize: 256 },
        ...{ learningRate: linear(1e-3, 1e-5), scheduleSteps: 200_000, tau: 0.01, replayCapacity: 100_000 },
        ...{ learningStarts: 2000, trainEvery: 4, updatesPerStep: 0.25, stepsPerIteration: 4000 },
        epsilon: {
          schedule: 'piecewise',
          points: [
            [0, 1],
            [40_000, 0.05],
          ],
        },
      },
    },
    numSteps: 200_000,
    judge: (algorithm) => judgeCooperation(algorithm, { agent: 'pursuer_0', bar: 1.5 }),
  },
  {
    id: 'pong',
    what: 'share of 200 games won against a player that runs after the ball, from both seats',
    bar: 'above 0.5',
    config: {
      environment: { env: 'PongDuel-v0' },
      envRunners: { numEnvs: 32, rolloutLength: 128 },
      training: {
        ...{ gamma: 0.99, gaeLambda: 0.95, hiddenSizes: [64, 64], minibatchSize: 1024, numEpochs: 4 },
        ...{ learningRate: 1e-3, entropyCoeff: 0.01 },
      },
      selfPlay: { selfPlay: 'uniform', snapshotInterval: 20, anchorFraction: 0, pastFraction: 0.25 },
    },
    numSteps: 3_000_000,
    judge: (algorithm) =>
      judgeMatches(algorithm, { opponent: `${path('pong-tracker.ts')}#play`, numGames: 200, bar: 0.5 }),
  },
];
