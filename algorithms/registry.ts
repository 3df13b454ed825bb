/** The algorithms we ship, by name. Each is loaded only when it is asked for. */
import type { AlgorithmDefinition } from '../src/config/define-algorithm.ts';

export const algorithms: Readonly<Record<string, () => Promise<AlgorithmDefinition>>> = {
  ppo: async () => (await import('./ppo/index.ts')).ppo as unknown as AlgorithmDefinition,
  sac: async () => (await import('./sac/index.ts')).sac as unknown as AlgorithmDefinition,
};
