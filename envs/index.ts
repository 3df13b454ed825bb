/** The environments that come with Operant, and their registration. */
import { registerEnvScheme } from '../src/env/env-schemes.ts';
import { registerEnv } from '../src/env/registry.ts';
import type { JsonObject } from '../src/json.ts';
import type { Peer } from '../src/modules/import-peer.ts';
import { AGENT_ENVS } from './agents/shipped.ts';
import { BOX2D_ENVS } from './box2d/shipped.ts';
import { MUJOCO_ENVS } from './mujoco/shipped.ts';

interface ShippedEnv {
  readonly id: string;
  readonly file: string;
  readonly export: string;
  readonly vectorExport: string;
  readonly options?: JsonObject;
  readonly rewardThreshold?: number;
  /** It has several of them. */
  readonly agents?: true;
  readonly description: string;
  /** A package that has to be installed for it. */
  readonly peer?: Peer;
}

/** What is shipped; time limits are the modules' own (option `maxEpisodeSteps`). */
export const SHIPPED_ENVS: readonly ShippedEnv[] = [
  {
    id: 'CartPole-v1',
    file: 'cart-pole',
    export: 'cartPole',
    vectorExport: 'cartPoleVector',
    rewardThreshold: 475,
    description: 'Balance a pole on a cart. Limit 500 steps.',
  },
  {
    id: 'Acrobot-v1',
    file: 'acrobot',
    export: 'acrobot',
    vectorExport: 'acrobotVector',
    rewardThreshold: -100,
    description: 'Swing a two-link arm above a line. Limit 500 steps.',
  },
  {
    id: 'MountainCar-v0',
    file: 'mountain-car',
    export: 'mountainCar',
    vectorExport: 'mountainCarVector',
    rewardThreshold: -110,
    description: 'Swing a weak car up a hill. Limit 200 steps.',
  },
  {
    id: 'MountainCarContinuous-v0',
    file: 'mountain-car-continuous',
    export: 'mountainCarContinuous',
    vectorExport: 'mountainCarContinuousVector',
    rewardThreshold: 90,
    description: 'The same with a throttle and a price on fuel. Limit 999 steps.',
  },
  {
    id: 'Pendulum-v1',
    file: 'pendulum',
    export: 'pendulum',
    vectorExport: 'pendulumVector',
    rewardThreshold: -200,
    description: 'Swing a pendulum up and hold it. Limit 200 steps.',
  },
  {
    id: 'FrozenLake-v1',
    file: 'frozen-lake',
    export: 'frozenLake',
    vectorExport: 'frozenLakeVector',
    rewardThreshold: 0.7,
    description: 'Cross slippery ice (4x4) to the goal. Limit 100 steps.',
  },
  {
    id: 'FrozenLake8x8-v1',
    file: 'frozen-lake',
    export: 'frozenLake',
    vectorExport: 'frozenLakeVector',
    options: { map: '8x8', maxEpisodeSteps: 200 },
    rewardThreshold: 0.85,
    description: 'Cross slippery ice (8x8) to the goal. Limit 200 steps.',
  },
  {
    id: 'CliffWalking-v1',
    file: 'cliff-walking',
    export: 'cliffWalking',
    vectorExport: 'cliffWalkingVector',
    rewardThreshold: -13,
    description: 'Walk along a cliff. Limit 1000 steps.',
  },
  {
    id: 'CliffWalkingSlippery-v1',
    file: 'cliff-walking',
    export: 'cliffWalking',
    vectorExport: 'cliffWalkingVector',
    options: { isSlippery: true },
    description: 'Walk along a slippery cliff. Limit 1000 steps.',
  },
  {
    id: 'Taxi-v4',
    file: 'taxi',
    export: 'taxi',
    vectorExport: 'taxiVector',
    rewardThreshold: 7.9,
    description: 'Fetch a passenger and bring them home. Limit 200 steps.',
  },
  {
    id: 'Blackjack-v1',
    file: 'blackjack',
    export: 'blackjack',
    vectorExport: 'blackjackVector',
    description: 'Draw cards against a dealer. Best mean return about -0.05.',
  },
  {
    id: 'BitFlip-v0',
    file: 'bit-flip',
    export: 'bitFlip',
    vectorExport: 'bitFlipVector',
    rewardThreshold: -7,
    description: 'Turn 15 bits as asked, with a reward at the goal alone: for hindsight. Limit 15 steps.',
  },
  {
    id: 'PointReach-v0',
    file: 'point-reach',
    export: 'pointReach',
    vectorExport: 'pointReachVector',
    rewardThreshold: -15,
    description: 'Push a point to a place, with a reward there alone: for hindsight. Limit 50 steps.',
  },
  {
    id: 'Snake-v1',
    file: 'snake',
    export: 'snake',
    vectorExport: 'snakeVector',
    rewardThreshold: 20,
    description: 'Eat and grow on a 6x6 board; the return is the apples eaten, minus 1.',
  },
  {
    id: 'Game2048-v1',
    file: 'game-2048',
    export: 'game2048',
    vectorExport: 'game2048Vector',
    description: 'Slide and merge tiles; masks moves that change nothing.',
  },
  {
    id: 'KeyDoor-v1',
    file: 'key-door',
    export: 'keyDoor',
    vectorExport: 'keyDoorVector',
    rewardThreshold: 1.3,
    description: 'Find the key, open the door, reach the goal, with a partial view. Limit 200 steps.',
  },
  {
    id: 'CartPoleNoVelocity-v0',
    file: 'cart-pole',
    export: 'cartPole',
    vectorExport: 'cartPoleVector',
    options: { hideVelocity: true },
    rewardThreshold: 475,
    description: 'CartPole that shows no velocities: for memory. Limit 500 steps.',
  },
  {
    id: 'PendulumNoVelocity-v0',
    file: 'pendulum',
    export: 'pendulum',
    vectorExport: 'pendulumVector',
    options: { hideVelocity: true },
    rewardThreshold: -230,
    description: 'Pendulum that shows no velocity: for memory. Limit 200 steps.',
  },
  {
    id: 'TMaze-v0',
    file: 't-maze',
    export: 'tMaze',
    vectorExport: 'tMazeVector',
    rewardThreshold: 0.9,
    description: 'Remember a sign for a corridor of 30 steps, then turn as it said: for memory.',
  },
  {
    id: 'RepeatFirst-v0',
    file: 'repeat-first',
    export: 'repeatFirst',
    vectorExport: 'repeatFirstVector',
    rewardThreshold: 0.95,
    description: 'Say the first of 16 symbols at every step: for memory.',
  },
  {
    id: 'HybridMove-v0',
    file: 'hybrid-move',
    export: 'hybridMove',
    vectorExport: 'hybridMoveVector',
    rewardThreshold: 2.8,
    description:
      'Drive to a circle and stop there, by a manoeuvre and its amount at a time: for actions of mixed kinds. Limit 100 steps.',
  },
  {
    id: 'SparseMaze-v0',
    file: 'sparse-maze',
    export: 'sparseMaze',
    vectorExport: 'sparseMazeVector',
    rewardThreshold: 0.95,
    description: 'Find the far end of a maze, where the only reward is: for exploration. Limit 200 steps.',
  },
  ...BOX2D_ENVS,
  ...MUJOCO_ENVS,
  ...AGENT_ENVS,
];

/** Registers all of them under this module's own URL; harmless when repeated. */
export function registerShippedEnvs(): void {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  for (const { id, file, ...rest } of SHIPPED_ENVS) {
    const module = new URL(`./${file}.${extension}`, import.meta.url).href;
    registerEnv(id, { ...rest, module, keepsNothing: rest.peer === undefined }); // others' packages may keep what they like
  }
  const external = new URL(`./external.${extension}`, import.meta.url).href;
  for (const scheme of ['external', 'stdio', 'godot'])
    registerEnvScheme(scheme, { module: external, export: 'externalEnv', vectorExport: 'externalVectorEnv' });
  const module = new URL(`./python.${extension}`, import.meta.url).href;
  for (const scheme of ['gymnasium', 'envpool', 'python']) {
    const namesFile = scheme === 'python';
    registerEnvScheme(scheme, { module, export: 'pythonEnv', vectorExport: 'pythonVectorEnv', namesFile });
  }
  registerEnvScheme('pettingzoo', {
    ...{ module, export: 'pythonAgentsEnv', vectorExport: 'pythonAgentsKernel' },
    ...{ namesFile: 'behind-hash', agents: true, example: 'classic/connect_four_v3' },
  });
}
