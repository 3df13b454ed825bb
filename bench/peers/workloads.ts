/** The workloads: who does what. Every run of a workload has a label that the report groups by. */
import { asynchronous } from './asynchronous.ts';
import type { ContestantName } from './contestants.ts';
import { type Entry, entry, FEW } from './entries.ts';
import {
  DQN_CARTPOLE_ZOO,
  type OffPolicySettings,
  SAC_PENDULUM_RLTOOLS,
  SAC_PENDULUM_ZOO,
  TD3_PENDULUM_RLTOOLS,
} from './off-policy-settings.ts';
import { physics } from './physics.ts';
import {
  CARTPOLE_CLEANRL,
  CARTPOLE_RLLIB,
  CARTPOLE_ZOO,
  HALF_CHEETAH_ZOO,
  LUNAR_LANDER_ZOO,
  PENDULUM_RLTOOLS,
  type Settings,
} from './settings.ts';
import { severalAgents } from './several-agents.ts';
import type { OffPolicyTask, TrainTask } from './task.ts';
import { tuning } from './tuning.ts';

export interface Workload {
  readonly id: number;
  readonly title: string;
  /** One round; rounds differ in their seed, and entries are run in turn. What does not depend on the seed is measured again. */
  readonly round: (seed: number) => readonly Entry[];
}

const SLOW_SECONDS = 120;

function train(settings: Settings, steps: number, seed: number, more: Partial<TrainTask> = {}): TrainTask {
  const evaluationSeed = 10_000 + 1000 * seed;
  return { kind: 'train', settings, steps, seed, evaluate: true, evaluationSeed, ...more };
}

/** Cut short after {@link SLOW_SECONDS}: their steps/s is all that is needed. Sample Factory's processes take long to start. */
const slow = (contestant: ContestantName, task: TrainTask, timingSeconds = 30): Entry => ({
  ...entry(contestant, { ...task, limitSeconds: SLOW_SECONDS }, SLOW_SECONDS),
  timingSeconds,
  isSpeedOnly: true,
});

/** Speed is known after `timingSeconds`; the returns need the whole run. */
const long = (contestant: ContestantName, task: TrainTask, timingSeconds = 30): Entry => ({
  ...entry(contestant, task),
  timingSeconds,
});

const SOLVE = { kind: 'solve', target: 475, checkAbove: 250, checkEvery: 2048, evaluate: false } as const;

function solvers(seed: number): readonly Entry[] {
  const solve = (settings: Settings, steps: number, more: Partial<TrainTask> = {}) =>
    train(settings, steps, seed, { ...SOLVE, ...more });
  return [
    entry('operant', solve(CARTPOLE_ZOO, 300_000, { tuned: true })),
    entry('sb3', solve(CARTPOLE_ZOO, 100_000)),
    entry('sbx', solve(CARTPOLE_ZOO, 100_000)),
    entry('cleanrl', solve(CARTPOLE_CLEANRL, 500_000)),
    entry('rllib', solve(CARTPOLE_RLLIB, 400_000, { limitSeconds: 300 }), 300),
  ];
}

/** Time to a training mean of 450 with RLlib's tuned settings, on both sides. */
function rllibTuned(seed: number): readonly Entry[] {
  const task = train(CARTPOLE_RLLIB, 400_000, seed, { stopReturn: 450 });
  return [entry('operant', task), entry('rllib', { ...task, limitSeconds: 400 }, 400)];
}

function updates(seed: number): readonly Entry[] {
  const cases = [
    ['mlp', 64],
    ['mlp', 256],
    ['mlp', 2048],
    ['conv', 64],
    ['conv', 256],
  ] as const;
  return cases.flatMap(([network, rows]) => {
    const task = { kind: 'update', network, rows, seconds: 5, seed } as const;
    const variant = `${network}, ${rows} rows`;
    return [
      entry('operant', { ...task, compiled: false }, 300, variant),
      entry('torch', { ...task, compiled: false }, 300, `${variant}, eager`),
      entry('torch', { ...task, compiled: true }, 300, `${variant}, torch.compile`),
    ];
  });
}

/** Cost against workers, environments, width and depth, from one base: CartPole, 4 epochs of minibatches of 256. */
function growth(seed: number): readonly Entry[] {
  const base: Settings = { ...CARTPOLE_ZOO, numEnvs: 32, rolloutLength: 128, numEpochs: 4 };
  const task = (settings: Settings, steps: number, more: Partial<TrainTask> = {}) =>
    train(settings, steps, seed, { evaluate: false, ...more });
  const vary = (variant: string, settings: Settings): readonly Entry[] => [
    entry('operant', task(settings, 20 * FEW), 300, variant),
    { ...entry('sb3', task(settings, 2 * FEW), 300, variant), timingSeconds: 15 },
  ];
  return [
    ...[0, 1, 2].map((numWorkers) =>
      entry('operant', task(base, 20 * FEW, { numWorkers }), 300, `${numWorkers} workers`),
    ),
    ...[2, 8, 32, 128].flatMap((numEnvs) =>
      vary(`${numEnvs} environments`, { ...base, numEnvs, rolloutLength: 4096 / numEnvs }),
    ),
    ...[32, 64, 128, 256].flatMap((width) =>
      vary(`width ${width}`, { ...base, hiddenSizes: [width, width] }),
    ),
    ...[1, 2, 3, 4].flatMap((depth) =>
      vary(`depth ${depth}`, { ...base, hiddenSizes: new Array<number>(depth).fill(64) }),
    ),
  ];
}

/** Seconds after which the speed of a run is known: JAX compiles within them. */
const OFF_POLICY_SECONDS = { operant: 30, sb3: 20, sbx: 40, 'jax-dqn': 40 } as const;

/** Everyone on one core and on all: Stable-Baselines3, SBX, for DQN a program like CleanRL's in JAX, and RLtools where its settings are asked for. */
function offPolicy(
  settings: OffPolicySettings,
  steps: number,
  seed: number,
  more: readonly ContestantName[] = [],
): readonly Entry[] {
  const evaluationSeed = 10_000 + 1000 * seed;
  const task: OffPolicyTask = { kind: 'off-policy', settings, steps, seed, evaluate: true, evaluationSeed };
  const both = (contestant: keyof typeof OFF_POLICY_SECONDS): readonly Entry[] => {
    const timingSeconds = OFF_POLICY_SECONDS[contestant];
    return [
      { ...entry(contestant, task, 900, 'all cores'), timingSeconds },
      {
        ...entry(contestant, { ...task, oneThread: true }, 900, 'one core'),
        ...{ timingSeconds, isOneCore: true, isSpeedOnly: true },
      },
    ];
  };
  const rltools = more.map((name) => ({ ...entry(name, task), isOneCore: name === 'rltools-1' }));
  const jax = settings.algorithm === 'dqn' ? both('jax-dqn') : [];
  return [...both('operant'), ...rltools, ...both('sb3'), ...both('sbx'), ...jax];
}

const RLTOOLS: readonly ContestantName[] = ['rltools-1', 'rltools-all'];

export const WORKLOADS: readonly Workload[] = [
  {
    id: 1,
    title: 'CartPole-v1, rl-baselines3-zoo settings, 100,000 steps',
    round(seed) {
      const task = train(CARTPOLE_ZOO, 100_000, seed);
      const others = [slow('rllib', task), slow('sample-factory', task, 90), slow('reinforce-js', task)];
      return [entry('operant', task), entry('sb3', task), entry('sbx', task), ...others];
    },
  },
  {
    id: 2,
    title: "CartPole-v1, CleanRL's settings, 500,000 steps",
    round(seed) {
      const task = train(CARTPOLE_CLEANRL, 500_000, seed);
      return [entry('operant', task), long('cleanrl', task)];
    },
  },
  {
    id: 3,
    title: "Pendulum-v1, RLtools' settings, 300,000 steps",
    round(seed) {
      const task = train(PENDULUM_RLTOOLS, 300_000, seed);
      return [
        entry('operant', task, 900, 'all cores'),
        entry('operant', { ...task, numWorkers: 0 }, 900, 'one core'),
        entry('rltools-1', task),
        entry('rltools-all', task),
        long('sb3', task),
        long('sbx', task),
        slow('rllib', task),
      ];
    },
  },
  {
    id: 4,
    title: "CartPole-v1, RLlib's tuned settings, time to a training mean of 450",
    round: rllibTuned,
  },
  {
    id: 5,
    title:
      'CartPole-v1, best settings of each: process start to a greedy mean of 475 over 100 episodes, confirmed on 100 more',
    round: solvers,
  },
  {
    id: 6,
    title: 'Start-up to the end of the first update, and memory',
    round(seed) {
      const first = train(CARTPOLE_ZOO, 256, seed, { evaluate: false });
      const memory = { kind: 'memory', settings: CARTPOLE_CLEANRL, marks: [5e6, 20e6], seed } as const;
      const starts = (['operant', 'sb3', 'sbx', 'rllib'] as const).map((name) =>
        entry(name, first, 300, 'start-up'),
      );
      return [...starts, entry('operant', memory, 1800, 'growth')];
    },
  },
  { id: 7, title: 'Time of one minibatch update', round: updates },
  {
    id: 8,
    title: 'Inference latency of a policy (2x64), one observation and 64',
    round(seed) {
      const infer = (compiled: boolean) =>
        ({ kind: 'infer', settings: CARTPOLE_ZOO, seed, compiled }) as const;
      return [
        entry('operant', infer(false)),
        entry('torch', infer(false), 300, 'eager'),
        entry('torch', infer(true), 300, 'torch.compile'),
        entry('sb3', infer(false)),
        entry('sbx', infer(false)),
      ];
    },
  },
  { id: 9, title: 'Steps/s against workers, environments, width and depth', round: growth },
  {
    id: 10,
    title: 'DQN, CartPole-v1, rl-baselines3-zoo settings, 50,000 steps',
    round: (seed) => offPolicy(DQN_CARTPOLE_ZOO, 50_000, seed),
  },
  {
    id: 11,
    title:
      'SAC, Pendulum-v1, rl-baselines3-zoo settings (all learn from step 256 on, when there is a batch; theirs: 100), 20,000 steps',
    round: (seed) => offPolicy(SAC_PENDULUM_ZOO, 20_000, seed),
  },
  {
    id: 12,
    title: "SAC, Pendulum-v1, RLtools' settings (2 x 64, batches of 100), 10,000 steps",
    round: (seed) => offPolicy(SAC_PENDULUM_RLTOOLS, 10_000, seed, RLTOOLS),
  },
  {
    id: 13,
    title:
      'DQN, CartPole-v1, tuned settings: process start to a greedy mean of 475 over 100 episodes that holds 1,000 steps later, on 100 others',
    round(seed) {
      const evaluationSeed = 10_000 + 1000 * seed;
      const common = { kind: 'off-policy', settings: DQN_CARTPOLE_ZOO, steps: 100_000, seed } as const;
      return [entry('operant', { ...common, evaluate: false, evaluationSeed, heldReturn: 475 })];
    },
  },
  {
    id: 14,
    title: "TD3, Pendulum-v1, RLtools' settings (2 x 64, batches of 100), 10,000 steps",
    round: (seed) => offPolicy(TD3_PENDULUM_RLTOOLS, 10_000, seed, RLTOOLS),
  },
  {
    id: 15,
    title:
      "Pendulum-v1, RLtools' settings, 3,000,000 steps: what is left of workload 3 when compiling is over",
    round(seed) {
      const task = train(PENDULUM_RLTOOLS, 3_000_000, seed);
      return [
        entry('operant', task, 900, 'all cores'),
        { ...entry('operant', { ...task, numWorkers: 0 }, 900, 'one core'), isOneCore: true },
        { ...entry('rltools-1', task), isOneCore: true },
        entry('rltools-all', task),
      ];
    },
  },
  {
    id: 16,
    title: 'PPO among several agents: tic-tac-toe, steps of all agents',
    round: (seed) => severalAgents('tic-tac-toe', 'TicTacToe-v0', 1, seed),
  },
  {
    id: 17,
    title: 'PPO among several agents: connect four, steps of all agents',
    round: (seed) => severalAgents('connect-four', 'ConnectFour-v0', 1, seed),
  },
  {
    id: 18,
    title: 'PPO among several agents: simple_spread, steps of all agents',
    round: (seed) => severalAgents('simple-spread', 'SimpleSpread-v3', 3, seed),
  },
  { id: 19, title: 'Tuning: 8 trials of 20,480 CartPole steps, two at once', round: tuning },
  {
    id: 20,
    title:
      'APPO, CartPole-v1, 200,000 steps, two workers each (and who learns, on the same two cores): fragments of 16 x 16 steps, four passes over each',
    round: asynchronous,
  },
  {
    id: 21,
    title: "PPO, LunarLander-v3, rl-baselines3-zoo's settings, which are our tuned ones, 1,000,000 steps",
    round: (seed) => physics(LUNAR_LANDER_ZOO, seed, { timingSeconds: Infinity }),
  },
  {
    id: 22,
    title: "PPO, HalfCheetah-v5, rl-baselines3-zoo's settings, which are our tuned ones, 1,000,000 steps",
    round: (seed) => physics(HALF_CHEETAH_ZOO, seed, { timingSeconds: 45 }),
  },
];
