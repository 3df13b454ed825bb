/**
 * Published results that ours are set beside, by algorithm and environment, and the margin below the published mean that the lower
 * end of our interval may have.
 *
 * Zoo: rl-baselines3-zoo benchmark.md at 22e3ff24, one run each, deterministic policy. CleanRL: docs/benchmark at fe8d8a03, three seeds, final training
 * returns of the sampling policy. Versions of environments as there.
 */
export interface Published {
  readonly zoo?: { readonly mean: number; readonly std: number; readonly steps: number };
  readonly cleanrl?: { readonly mean: number; readonly std: number; readonly steps: number };
  /** In units of return. */
  readonly margin: number;
  readonly why: string;
}

export const PUBLISHED: { readonly [algorithm: string]: { readonly [env: string]: Published } } = {
  ppo: {
    'CartPole-v1': {
      zoo: { mean: 500, std: 0, steps: 100_000 },
      cleanrl: { mean: 490.04, std: 6.12, steps: 500_000 },
      margin: 5,
      why: 'the return is bounded by 500, so the published mean is the best possible one; 1% for a seed that slips in a few of 100 episodes',
    },
    'Pendulum-v1': {
      zoo: { mean: -172.2, std: 104.2, steps: 100_000 },
      margin: 20,
      why: 'the start decides the return (standard deviation 104 between episodes, so 10 for the mean of 100): twice that',
    },
    'Acrobot-v1': {
      zoo: { mean: -73.5, std: 18.2, steps: 1_000_000 },
      cleanrl: { mean: -86.36, std: 1.32, steps: 500_000 },
      margin: 10,
      why: 'one run of theirs; episodes of a good policy differ by 18',
    },
    'MountainCar-v0': {
      zoo: { mean: -110.4, std: 19.5, steps: 1_000_000 },
      cleanrl: { mean: -200, std: 0, steps: 500_000 },
      margin: 10,
      why: 'one run of theirs; episodes of a good policy differ by 19.5',
    },
    'MountainCarContinuous-v0': {
      zoo: { mean: 88.3, std: 2.6, steps: 20_000 },
      margin: 3,
      why: 'one run of theirs; one standard deviation between its episodes',
    },
    'LunarLander-v3': {
      zoo: { mean: 242.1, std: 31.8, steps: 1_000_000 },
      margin: 30,
      why: 'published for -v2; one run of theirs, one standard deviation between its episodes',
    },
    'LunarLanderContinuous-v3': {
      zoo: { mean: 270.9, std: 32.1, steps: 1_000_000 },
      margin: 30,
      why: 'published for -v2; one run of theirs, one standard deviation between its episodes',
    },
    'BipedalWalker-v3': {
      zoo: { mean: 287.9, std: 2.4, steps: 5_000_000 },
      margin: 20,
      why: 'one run of theirs; a fall in one of twenty episodes costs that much',
    },
  },
};
