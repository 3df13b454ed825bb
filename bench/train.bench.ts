/**
 * End to end: environment steps per second of training, sampling and learning together, tuned CartPole settings.
 *
 *     npm run bench:train -- [--rounds 20] [--iterations 20] [--json FILE]
 *
 * Numbers of environment runners are interleaved; every one of them computes the same weights.
 */
import { PPOConfig } from '../src/index.ts';
import { interleave, option, printHeader, printTable, type Variant, writeResults } from './harness.ts';

const NUM_ROUNDS = Number(option('rounds', '20'));
const NUM_ITERATIONS = Number(option('iterations', '20'));

async function training(numEnvRunners: number) {
  const algorithm = await new PPOConfig()
    .environment('CartPole-v1')
    .tuned()
    .envRunners({ numEnvRunners })
    .build();
  const { numEnvSteps } = await algorithm.train();
  const run = async () => {
    for (let k = 0; k < NUM_ITERATIONS; k++) await algorithm.train();
  };
  const name = numEnvRunners === 0 ? 'in process' : `${numEnvRunners} worker threads`;
  const variant: Variant = { name, units: NUM_ITERATIONS * numEnvSteps, run };
  return { variant, stop: () => algorithm.stop() };
}

printHeader('CartPole-v1 training, tuned settings (algorithms/ppo/tuned.ts)');
const made = [];
for (const numEnvRunners of [0, 1, 2]) made.push(await training(numEnvRunners));
const timings = await interleave(
  made.map(({ variant }) => variant),
  { numRounds: NUM_ROUNDS, numWarmups: 2 },
);
await Promise.all(made.map(({ stop }) => stop()));
const perSecond = (microseconds: number) => Math.round(1e6 / microseconds).toLocaleString('en');
printTable(
  ['', 'steps/s best', 'q3', 'median', 'q1'],
  timings.map(({ name, best, lowerQuartile, median, upperQuartile }) => [
    name,
    ...[best, lowerQuartile, median, upperQuartile].map(perSecond),
  ]),
);
writeResults({ bench: 'train', timings: timings.map(({ samples: _, ...timing }) => timing) });
