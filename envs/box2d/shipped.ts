/** The environments of Box2D, for the list of all. */
export const BOX2D_ENVS = [
  {
    id: 'LunarLander-v3',
    file: 'lunar-lander',
    export: 'lunarLander',
    vectorExport: 'lunarLanderVector',
    rewardThreshold: 200,
    description: 'Land between two flags with a main and two side engines. Limit 1000 steps.',
  },
  {
    id: 'LunarLanderContinuous-v3',
    file: 'lunar-lander',
    export: 'lunarLander',
    vectorExport: 'lunarLanderVector',
    options: { continuous: true },
    rewardThreshold: 200,
    description: 'The same with throttles. Limit 1000 steps.',
  },
  {
    id: 'BipedalWalker-v3',
    file: 'bipedal-walker',
    export: 'bipedalWalker',
    vectorExport: 'bipedalWalkerVector',
    rewardThreshold: 300,
    description: 'Walk on two legs over rough ground. Limit 1600 steps.',
  },
  {
    id: 'BipedalWalkerHardcore-v3',
    file: 'bipedal-walker',
    export: 'bipedalWalker',
    vectorExport: 'bipedalWalkerVector',
    options: { hardcore: true, maxEpisodeSteps: 2000 },
    rewardThreshold: 300,
    description: 'The same over stumps, stairs and pits. Limit 2000 steps.',
  },
];
