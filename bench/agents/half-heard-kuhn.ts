/** Kuhn poker as a library would have it that loses rewards which arrive while somebody else acts: the control of the row about Kuhn poker. */
import { kuhnPokerKernel } from '../../envs/kuhn-poker.ts';
import type { AgentsKernelFactory } from '../../src/env/agents/agents-kernel.ts';
import { multiAgentFactory } from '../../src/env/agents/kernel-multi-agent-env.ts';

/** N hands in which only who moves last is told what the hand was worth. */
export const halfHeardKuhnKernel: AgentsKernelFactory = (numEnvs, options) => {
  const kernel = kuhnPokerKernel(numEnvs, options);
  const movers = new Uint8Array(numEnvs);
  const noteMover = (n: number) => {
    movers[n] = kernel.results.acting.indexOf(1);
  };
  return {
    ...kernel,
    envId: 'HalfHeardKuhn',
    reset(n, seed) {
      kernel.reset(n, seed);
      noteMover(n);
    },
    step(n, actions, offset) {
      kernel.step(n, actions, offset);
      kernel.results.rewards[1 - movers[n]] = 0;
      if (kernel.results.acting.includes(1)) noteMover(n);
    },
    setState(n, state) {
      kernel.setState?.(n, state);
      noteMover(n);
    },
  };
};

export default multiAgentFactory(halfHeardKuhnKernel);
