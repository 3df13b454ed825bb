/** What is trained while processes are killed: said once, for the command line and for a run in this process. */
import { flagName } from '../../src/config/option.ts';
import type { Algorithm, JsonValue } from '../../src/index.ts';
import type { Subject } from './subject.ts';

const SEED = 5;

interface Task {
  readonly algorithm: 'ppo' | 'dqn';
  readonly env: string;
  /** From the command line; in this process there are none. */
  readonly numEnvRunners: number;
  readonly sections: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;
}

const ENV_RUNNERS = { numEnvs: 4, rolloutLength: 32 };
const TRAINING = { numEpochs: 1, minibatchSize: 64 };
const LEAGUE = { selfPlay: 'prioritized', snapshotInterval: 2, maxSnapshots: 4, numOpponents: 2 };

/** Small iterations, so that most of the time is spent saving; with a replay buffer that is full, and drops segments, after 16 of them. */
const TASKS = {
  ppo: {
    ...{ algorithm: 'ppo', env: 'CartPole-v1', numEnvRunners: 2 },
    sections: { envRunners: ENV_RUNNERS, training: TRAINING },
  },
  dqn: {
    ...{ algorithm: 'dqn', env: 'CartPole-v1', numEnvRunners: 1 },
    sections: {
      envRunners: { numEnvs: 4 },
      training: {
        ...{ stepsPerIteration: 64, learningStarts: 64, batchSize: 16 },
        ...{ replayCapacity: 1000, hiddenSizes: [16] },
      },
    },
  },
  lstm: {
    ...{ algorithm: 'ppo', env: 'CartPoleNoVelocity-v0', numEnvRunners: 2 },
    sections: {
      envRunners: ENV_RUNNERS,
      training: {
        ...{ ...TRAINING, hiddenSizes: [16], recurrent: 'lstm', recurrentSize: 16, sequenceLength: 16 },
      },
    },
  },
  league: {
    ...{ algorithm: 'ppo', env: 'TicTacToe-v0', numEnvRunners: 2 },
    sections: {
      envRunners: ENV_RUNNERS,
      training: { ...TRAINING, hiddenSizes: [16], gamma: 1 },
      selfPlay: { ...LEAGUE, anchorFraction: 0.2 },
    },
  },
  exploiters: {
    ...{ algorithm: 'ppo', env: 'TicTacToe-v0', numEnvRunners: 2 },
    sections: {
      envRunners: ENV_RUNNERS,
      training: { ...TRAINING, hiddenSizes: [16], gamma: 1 },
      selfPlay: {
        ...LEAGUE,
        ...{ mainExploiters: 1, leagueExploiters: 1, exploiterFraction: 0.5, exploiterTimeout: 3 },
      },
    },
  },
} as const satisfies Readonly<Record<string, Task>>;

export type TaskName = keyof typeof TASKS;

/** Arguments of `train` with which a run of the task begins. */
export function beginArguments(name: TaskName): string[] {
  const { algorithm, env, numEnvRunners, sections }: Task = TASKS[name];
  const options = Object.values(sections).flatMap((section) => Object.entries(section));
  const flags = [...options, ['numEnvRunners', numEnvRunners] as const].flatMap(([option, value]) => [
    `--${flagName(option)}`,
    textOf(value),
  ]);
  return ['--algo', algorithm, '--env', env, '--no-tuned', '--seed', String(SEED), ...flags];
}

const textOf = (value: JsonValue): string => (Array.isArray(value) ? value.join(',') : String(value));

/** The same run in this process. */
export function buildTask(name: TaskName, { PPOConfig, DQNConfig }: Subject): Promise<Algorithm> {
  const { algorithm, env, sections }: Task = TASKS[name];
  const values = {
    ...sections,
    environment: { env },
    envRunners: { ...sections.envRunners, numEnvRunners: 0 },
    debugging: { seed: SEED },
  };
  return algorithm === 'dqn' ? new DQNConfig(values).build() : new PPOConfig(values).build();
}
