/** The algorithms we ship, by name. Each is loaded only when it is asked for. */
import type { AlgorithmDefinition } from '../src/define/define-algorithm.ts';

export const algorithms: Readonly<Record<string, () => Promise<AlgorithmDefinition>>> = {
  ppo: async () => (await import('./ppo/index.ts')).ppo as unknown as AlgorithmDefinition,
  a2c: async () => (await import('./a2c/index.ts')).a2c as unknown as AlgorithmDefinition,
  impala: async () => (await import('./impala/index.ts')).impala as unknown as AlgorithmDefinition,
  appo: async () => (await import('./appo/index.ts')).appo as unknown as AlgorithmDefinition,
  dqn: async () => (await import('./dqn/index.ts')).dqn as unknown as AlgorithmDefinition,
  pqn: async () => (await import('./pqn/index.ts')).pqn as unknown as AlgorithmDefinition,
  sac: async () => (await import('./sac/index.ts')).sac as unknown as AlgorithmDefinition,
  'sac-discrete': async () =>
    (await import('./sac-discrete/index.ts')).sacDiscrete as unknown as AlgorithmDefinition,
  tqc: async () => (await import('./tqc/index.ts')).tqc as unknown as AlgorithmDefinition,
  td3: async () => (await import('./td3/index.ts')).td3 as unknown as AlgorithmDefinition,
};
