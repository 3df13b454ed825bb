/** Checkpoints of every kind of policy that shipped algorithms make, for tests of what loads, exports and serves them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Box,
  Dict,
  Discrete,
  DQNConfig,
  type Env,
  MultiBinary,
  MultiDiscrete,
  PPOConfig,
  PQNConfig,
  SACConfig,
  SACDiscreteConfig,
  type Space,
  TD3Config,
  TQCConfig,
} from '../../src/index.ts';
import { atEndOfFile } from '../end-of-file.ts';

/** Two steps an episode; observations of very different scales, so that statistics matter. */
function smallEnv(actionSpace: Space, mask: Uint8Array | null = null): () => Env {
  const info = mask === null ? {} : { actionMask: mask };
  return () => {
    let t = 0;
    const observe = () => ({ place: t % 3, speed: [100 + 40 * Math.sin(t), 0.01 * Math.cos(t)] });
    return {
      observationSpace: new Dict({ place: new Discrete(3), speed: new Box(-Infinity, Infinity, [2]) }),
      actionSpace,
      masksActions: mask !== null,
      reset: () => ({ observation: observe(), info }),
      step: () => {
        t += 1;
        return { observation: observe(), reward: t % 5, terminated: t % 7 === 0, truncated: false, info };
      },
    };
  };
}

/** What a builder is given; all of them take the environment and these sections. */
interface Made {
  train(): Promise<unknown>;
  save(path: string): Promise<string>;
  stop(): Promise<void>;
}

const MASK = Uint8Array.of(1, 0, 1, 1, 0);
const masked = () => smallEnv(new MultiDiscrete([3, 2]), MASK);
const ppo = (env: string | (() => Env), training: object = {}, normalizeObservations = false) =>
  new PPOConfig()
    .environment(env)
    .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 32, normalizeObservations })
    .training({ numEpochs: 1, minibatchSize: 64, hiddenSizes: [16, 16], policyGain: 1, ...training });
const sampling = { numEnvRunners: 0, numEnvs: 2 };
const dqn = (env: string | (() => Env), training: object = {}) =>
  new DQNConfig()
    .environment(env)
    .envRunners(sampling)
    .training({ hiddenSizes: [16, 16], ...training });

const BUILDERS: Readonly<Record<string, () => { build(): Promise<Made> }>> = {
  'ppo, categorical': () => ppo('CartPole-v1'),
  'ppo, masks, several components, statistics': () => ppo(masked(), {}, true),
  'ppo, bits': () => ppo(smallEnv(new MultiBinary(3)), { activation: 'silu' }),
  'ppo, Gaussian, statistics': () => ppo('Pendulum-v1', { sharedLayers: true }, true),
  'ppo, squashed Gaussian': () => ppo('Pendulum-v1', { squashActions: true, activation: 'gelu' }),
  'ppo, gSDE': () => ppo('Pendulum-v1', { useGsde: true, squashActions: true, activation: 'elu' }),
  dqn: () => dqn('CartPole-v1'),
  'dqn, masks, branches, statistics': () =>
    new DQNConfig()
      .environment(masked())
      .envRunners({ ...sampling, normalizeObservations: true })
      .training({ hiddenSizes: [16] }),
  'dqn, dueling C51': () =>
    dqn('CartPole-v1', { dueling: true, distribution: 'c51', numAtoms: 11, minReturn: 0, maxReturn: 50 }),
  'dqn, dueling quantiles': () =>
    dqn('CartPole-v1', { dueling: true, distribution: 'quantiles', numAtoms: 7 }),
  'dqn, noisy': () => dqn('CartPole-v1', { noisy: true }),
  pqn: () => new PQNConfig().environment('CartPole-v1').envRunners({ numEnvRunners: 0, numEnvs: 4 }),
  sac: () =>
    new SACConfig()
      .environment('Pendulum-v1')
      .envRunners(sampling)
      .training({ hiddenSizes: [16] }),
  'sac, gSDE': () =>
    new SACConfig()
      .environment('Pendulum-v1')
      .envRunners(sampling)
      .training({ hiddenSizes: [16, 16], useGsde: true }),
  'sac-discrete, masks': () =>
    new SACDiscreteConfig()
      .environment(smallEnv(new Discrete(5), MASK))
      .envRunners(sampling)
      .training({ hiddenSizes: [16] }),
  td3: () =>
    new TD3Config()
      .environment('Pendulum-v1')
      .envRunners(sampling)
      .training({ hiddenSizes: [16] }),
  tqc: () =>
    new TQCConfig()
      .environment('Pendulum-v1')
      .envRunners(sampling)
      .training({ hiddenSizes: [16] }),
};

export const SHIPPED_POLICIES: readonly string[] = Object.keys(BUILDERS);

/** Shared by the tests of a file, so they go when all of them are done. */
const saved = new Map<string, Promise<string>>();
let folder: string | null = null;

/** The path of a checkpoint of this kind; made once a test file. On-policy ones have learnt one iteration, so their statistics are not idle. */
export function shippedCheckpoint(name: string): Promise<string> {
  folder ??= folderOfFile();
  const made = saved.get(name) ?? make(name, folder);
  saved.set(name, made);
  return made;
}

function folderOfFile(): string {
  const path = mkdtempSync(join(tmpdir(), 'operant-policies-'));
  atEndOfFile(() => {
    rmSync(path, { recursive: true, force: true });
    saved.clear();
    folder = null;
  });
  return path;
}

async function make(name: string, folder: string): Promise<string> {
  const algorithm = await BUILDERS[name]().build();
  if (name.startsWith('ppo') || name.includes('statistics')) await algorithm.train();
  const path = await algorithm.save(join(folder, name.replaceAll(/\W+/g, '-')));
  await algorithm.stop();
  return path;
}
