/** The algorithm that the page asks for, on CartPole. */
import {
  cartPoleVector,
  createDQNTraining,
  createPPOTraining,
  type KernelModule,
  type PageTraining,
} from '../../../browser/index.ts';
import { type AlgorithmName, dqnSettings, ppoSettings } from './settings.ts';

/** @param numThreads threads that learn, this one included, for PPO: DQN's updates are too small to share. Results do not depend on it. */
export function createTraining(
  algorithm: AlgorithmName,
  kernels: KernelModule,
  seed: number,
  numThreads: number,
): Promise<PageTraining> {
  const debugging = { seed };
  if (algorithm === 'dqn') return createDQNTraining(cartPoleVector, kernels, { ...dqnSettings, debugging });
  const createWorker = () => new Worker(new URL('./helper-worker.ts', import.meta.url), { type: 'module' });
  return createPPOTraining(
    cartPoleVector,
    kernels,
    { ...ppoSettings, debugging },
    {
      numHelpers: numThreads - 1,
      createWorker,
    },
  );
}
