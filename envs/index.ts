/** The environments that come with Operant, and their registration. */
import { registerEnv } from '../src/env/registry.ts';

interface ShippedEnv {
  readonly id: string;
  readonly file: string;
  readonly export: string;
  readonly vectorExport: string;
  readonly rewardThreshold?: number;
  readonly description: string;
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
    id: 'Pendulum-v1',
    file: 'pendulum',
    export: 'pendulum',
    vectorExport: 'pendulumVector',
    rewardThreshold: -200,
    description: 'Swing a pendulum up and hold it. Limit 200 steps.',
  },
];

/** Registers all of them under this module's own URL; harmless when repeated. */
export function registerShippedEnvs(): void {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  for (const { id, file, ...rest } of SHIPPED_ENVS) {
    registerEnv(id, { ...rest, module: new URL(`./${file}.${extension}`, import.meta.url).href });
  }
}
