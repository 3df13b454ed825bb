/**
 * What our results are set beside, by algorithm and environment: published ones, the best possible return, or a player without
 * learning; and the margin below it that the lower end of our interval may have.
 *
 * Zoo: rl-baselines3-zoo benchmark.md at 22e3ff24, one run each, deterministic policy. CleanRL: docs/benchmark at fe8d8a03, three seeds, final training
 * returns of the sampling policy. Versions of environments as there.
 */
import { cliffWalkingTask } from '../../envs/cliff-walking.ts';
import { frozenLakeTask } from '../../envs/frozen-lake.ts';
import { optimalReturn } from '../../envs/tabular.ts';
import { taxiTask } from '../../envs/taxi.ts';
import { blackjackReturn } from './blackjack-return.ts';
import { greedy2048Score, greedySnakeScore } from './players.ts';
import { optimum, type Reference } from './reference.ts';

/** KeyDoor: key and door give 0.5 at most, the goal 1, and all steps cost 0.5: above this the goal was reached. */
const SOLVED_RETURN = 0.5;

const PENDULUM = {
  margin: 10,
  why: 'the start decides the return (standard deviation 104 between episodes of PPO, so 10 for the mean of 100): once that',
} as const;

/** RLlib calls CartPole learnt at 450 to 475 and gives its IMPALA 2 million steps, its APPO 1 million. */
const ACTOR_LEARNER: Reference = {
  bar: () => ({ mean: 475, what: "the environment's threshold" }),
  margin: 0,
  why: 'the threshold is the bar',
};

export const REFERENCES: { readonly [algorithm: string]: { readonly [env: string]: Reference } } = {
  ppo: {
    'CartPole-v1': {
      zoo: { mean: 500, std: 0, steps: 100_000 },
      cleanrl: { mean: 490.04, std: 6.12, steps: 500_000 },
      margin: 5,
      why: 'the return is bounded by 500, so the published mean is the best possible one; 1% for a seed that slips in a few of 100 episodes',
    },
    'Pendulum-v1': { zoo: { mean: -172.2, std: 104.2, steps: 100_000 }, ...PENDULUM },
    'Acrobot-v1': {
      zoo: { mean: -73.5, std: 18.2, steps: 1_000_000 },
      cleanrl: { mean: -86.36, std: 1.32, steps: 500_000 },
      margin: 10,
      why: 'one run of theirs; half a standard deviation between its episodes',
    },
    'MountainCar-v0': {
      zoo: { mean: -110.4, std: 19.5, steps: 1_000_000 },
      cleanrl: { mean: -200, std: 0, steps: 500_000 },
      margin: 5,
      why: 'one run of theirs; a quarter of a standard deviation between its episodes, 2.5 standard errors of a mean of 100',
    },
    'MountainCarContinuous-v0': {
      zoo: { mean: 88.3, std: 2.6, steps: 20_000 },
      margin: 3,
      why: 'one run of theirs; one standard deviation between its episodes',
    },
    'FrozenLake-v1': {
      bar: () => optimum(optimalReturn(frozenLakeTask(), 100)),
      margin: 0.044,
      why: 'down to 0.70, which Gymnasium calls solved; three standard errors of a share in 1,000 episodes',
      numEpisodes: 1000,
    },
    'FrozenLake8x8-v1': {
      bar: () => optimum(optimalReturn(frozenLakeTask({ map: '8x8' }), 200)),
      margin: 0.06,
      why: 'down to 0.85, which Gymnasium calls solved',
      numEpisodes: 1000,
    },
    'CliffWalking-v1': {
      bar: () => optimum(optimalReturn(cliffWalkingTask(), 1000)),
      margin: 2,
      why: 'two steps: the way that keeps one row of distance from the cliff',
    },
    'Taxi-v4': {
      bar: () => optimum(optimalReturn(taxiTask(), 200)),
      margin: 0.5,
      why: 'the start decides the return (standard deviation 2.6 between episodes, so 0.15 for the mean of 300), and a needless detour in every fourth episode',
      numEpisodes: 300,
    },
    'Blackjack-v1': {
      bar: () => optimum(blackjackReturn()),
      margin: 0.02,
      why: 'three standard errors of a mean of 20,000 hands (standard deviation 0.95), by which the best policy misses it, too',
      numEpisodes: 20_000,
    },
    'Snake-v1': {
      bar: () => ({ mean: greedySnakeScore(), what: 'shortest way to the apple, 400 games' }),
      margin: 0,
      why: 'the player is to be beaten',
    },
    'Game2048-v1': {
      bar: () => ({ mean: greedy2048Score(), what: 'largest merge, 400 games' }),
      margin: 0,
      why: 'the player is to be beaten',
    },
    'LunarLander-v3': {
      zoo: { mean: 242.1, std: 31.8, steps: 1_000_000 },
      margin: 10,
      why: 'one run of theirs (v2); a third of a standard deviation between its episodes, three standard errors of a mean of 100',
    },
    'LunarLanderContinuous-v3': {
      zoo: { mean: 270.9, std: 32.1, steps: 1_000_000 },
      margin: 10,
      why: 'one run of theirs (v2); a third of a standard deviation between its episodes, three standard errors of a mean of 100',
    },
    'CartPoleNoVelocity-v0': {
      zoo: { mean: 500, std: 0, steps: 100_000 },
      margin: 25,
      why: 'the return is bounded by 500, so the published mean of an LSTM is the best possible one; down to what counts as solved',
    },
    'PendulumNoVelocity-v0': {
      zoo: { mean: -217.9, std: 140, steps: 100_000 },
      margin: 12.1,
      why: 'one run of theirs, with an LSTM; a standard error of a mean of 100 episodes',
    },
    'TMaze-v0': {
      bar: () => optimum(1),
      margin: 0.1,
      why: 'one wrong turn in twenty; without memory 0',
    },
    'RepeatFirst-v0': {
      bar: () => optimum(1),
      margin: 0.05,
      why: 'one wrong symbol in twenty; without memory 0.297',
    },
    'HybridMove-v0': {
      bar: () => ({ mean: 2.8, what: "the environment's threshold" }),
      margin: 0,
      why: 'the threshold is the bar: it stands in the circle after some 15 steps',
    },
    'SparseMaze-v0': {
      bar: () => optimum(1),
      margin: 0.05,
      why: 'each greedy episode is the same: 1 or 0',
    },
    'BipedalWalker-v3': {
      zoo: { mean: 287.9, std: 2.4, steps: 5_000_000 },
      margin: 10,
      why: 'one run of theirs; one episode in forty that falls (a fall costs about 400)',
      numCurveEpisodes: 20,
    },
    'InvertedPendulum-v5': {
      cleanrl: { mean: 963.09, std: 22.2, steps: 1_000_000 },
      margin: 22,
      why: 'the return is bounded by 1000; one standard deviation between their seeds (v4)',
    },
    'InvertedDoublePendulum-v5': {
      bar: () => ({ mean: 9100, what: 'what Gymnasium calls solved' }),
      margin: 0,
      why: 'it is to be solved',
      numCurveEpisodes: 10,
    },
    'Reacher-v5': {
      bar: () => ({ mean: -3.75, what: 'what Gymnasium calls solved' }),
      margin: 1.25,
      why: '2.5 cm in each of 50 steps: nothing was published for PPO',
    },
    'Swimmer-v5': {
      zoo: { mean: 281.6, std: 9.7, steps: 1_000_000 },
      margin: 20,
      why: 'one run of theirs (v3); two standard deviations between its episodes',
      numCurveEpisodes: 20,
    },
    'HalfCheetah-v5': {
      zoo: { mean: 5819.1, std: 663.5, steps: 1_000_000 },
      cleanrl: { mean: 1442.64, std: 46.03, steps: 1_000_000 },
      margin: 664,
      why: 'one run of theirs (v3); one standard deviation between its episodes',
      numCurveEpisodes: 20,
    },
    'Hopper-v5': {
      zoo: { mean: 2410.4, std: 10, steps: 1_000_000 },
      cleanrl: { mean: 2382.86, std: 271.74, steps: 1_000_000 },
      margin: 240,
      why: 'one run of theirs (v3) with networks of 256x256; a tenth of it, the deviation between seeds of CleanRL',
      numCurveEpisodes: 20,
    },
    'Walker2d-v5': {
      zoo: { mean: 3478.8, std: 821.7, steps: 1_000_000 },
      cleanrl: { mean: 2287.95, std: 571.78, steps: 1_000_000 },
      margin: 572,
      why: 'one run of theirs (v3); the deviation between seeds of CleanRL (v4), which is what one run may be off by',
      numCurveEpisodes: 20,
    },
    'KeyDoor-v1': {
      bar: () => ({ mean: 1, what: 'all layouts' }),
      margin: 0.05,
      why: 'one layout in twenty may stay unsolved',
      numEpisodes: 400,
      envOptions: { split: 'train' },
      finalEnvOptions: { split: 'test' },
      score: {
        name: 'share of layouts solved that were never seen in training',
        of: (episodeReturn) => (episodeReturn > SOLVED_RETURN ? 1 : 0),
      },
    },
  },
  a2c: {
    'CartPole-v1': {
      zoo: { mean: 500, std: 0, steps: 500_000 },
      margin: 5,
      why: 'the return is bounded by 500; 1% for a seed that slips in a few of 100 episodes',
    },
    'Pendulum-v1': { zoo: { mean: -163, std: 103.2, steps: 1_000_000 }, ...PENDULUM },
  },
  impala: {
    'CartPole-v1': ACTOR_LEARNER,
    'CartPoleNoVelocity-v0': {
      bar: () => ({ mean: 475, what: "the environment's threshold" }),
      margin: 0,
      why: 'it is to be solved; nothing was published for IMPALA',
    },
    'RepeatFirst-v0': {
      bar: () => optimum(1),
      margin: 0.05,
      why: 'one wrong symbol in twenty; without memory 0.297',
    },
  },
  appo: { 'CartPole-v1': ACTOR_LEARNER },
  dqn: {
    'CartPole-v1': {
      zoo: { mean: 500, std: 0, steps: 50_000 },
      margin: 5,
      why: 'the return is bounded by 500; one run of theirs, whose settings end far below it with some seeds',
    },
    'MountainCar-v0': {
      zoo: { mean: -100.8, std: 9.9, steps: 120_000 },
      firstSeed: 10, // other settings failed on some of the seeds 0 to 9, which is why these were looked for
      margin: 5,
      why: 'one run of theirs; half a standard deviation between its episodes',
    },
    'Acrobot-v1': {
      zoo: { mean: -76.6, std: 11.8, steps: 100_000 },
      margin: 6,
      why: 'one run of theirs; half a standard deviation between its episodes',
    },
    'LunarLander-v3': {
      zoo: { mean: 154.4, std: 79.2, steps: 100_000 },
      margin: 20,
      why: 'one run of theirs, in LunarLander-v2, with half the steps; a quarter of a standard deviation between its episodes',
    },
    'RepeatFirst-v0': {
      bar: () => optimum(1),
      margin: 0.05,
      why: 'one wrong symbol in twenty; without memory 0.297',
    },
    'CartPoleNoVelocity-v0': {
      bar: () => ({ mean: 475, what: "the environment's threshold" }),
      margin: 0,
      why: 'the threshold is the bar',
    },
  },
  pqn: {
    'CartPole-v1': {
      bar: () => optimum(500),
      margin: 5,
      why: 'the return is bounded by 500; 1% for a seed that slips in a few of 100 episodes',
    },
    'RepeatFirst-v0': {
      bar: () => optimum(1),
      margin: 0.05,
      why: 'one wrong symbol in twenty; without memory 0.297',
    },
  },
  sac: {
    'PendulumNoVelocity-v0': {
      zoo: { mean: -217.9, std: 140, steps: 100_000 },
      margin: 12.1,
      why: 'one run of theirs, of PPO with an LSTM; a standard error of a mean of 100 episodes',
    },
    'Pendulum-v1': { zoo: { mean: -156.995, std: 88.714, steps: 20_000 }, ...PENDULUM },
    'MountainCarContinuous-v0': {
      zoo: { mean: 94.679, std: 1.134, steps: 50_000 },
      margin: 1.1,
      why: 'one run of theirs; one standard deviation between its episodes',
    },
  },
  'sac-discrete': {
    'CartPole-v1': {
      bar: () => ({ mean: 475, what: "Gymnasium's threshold" }),
      margin: 0,
      why: 'no published run ends with a number',
    },
  },
  td3: { 'Pendulum-v1': { zoo: { mean: -151.855, std: 90.227, steps: 20_000 }, ...PENDULUM } },
  tqc: { 'Pendulum-v1': { bar: () => ({ mean: -156.995, what: "rl-baselines3-zoo's SAC" }), ...PENDULUM } },
};
