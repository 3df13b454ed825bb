/**
 * What curiosity finds in the maze whose only reward is at its far end: `npm run bench:curiosity`.
 *
 *     npm run bench:curiosity -- [--bonuses rnd,icm,count,none] [--seeds 5]
 *
 * PPO with the tuned settings and the bonus in question, to their last step; for each seed the return of a greedy episode afterwards (the maze is the
 * same in every episode) and the steps after which the mean return of the last 100 episodes first reached 0.9. In this process, on one thread.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { PPOConfigInput } from '../algorithms/ppo/config.ts';
import { tunedPPO } from '../algorithms/ppo/tuned.ts';
import { PPOConfig } from '../src/index.ts';
import { describeMachine, machineLine } from './machine.ts';
import { mean } from './statistics.ts';

const ENV = 'SparseMaze-v0';
const { values: flags } = parseArgs({
  options: {
    bonuses: { type: 'string', default: 'rnd,icm,count,none' },
    seeds: { type: 'string', default: '5' },
  },
});

type Training = NonNullable<PPOConfigInput['training']>;

const tuned = tunedPPO[ENV] as {
  readonly envRunners: PPOConfigInput['envRunners'];
  readonly training: Training;
  readonly stopping: { readonly stopSteps: number };
};

/** The tuned settings with another bonus, or with none and without its weight. */
function trainingOf(bonus: string): Training {
  const { curiosity: _, curiosityCoeff, ...training } = tuned.training;
  return bonus === 'none'
    ? training
    : { ...training, curiosityCoeff: curiosityCoeff ?? 0.5, curiosity: bonus as 'rnd' };
}

async function trainOnce(bonus: string, seed: number) {
  const config = new PPOConfig()
    .environment(ENV)
    .envRunners({ ...tuned.envRunners, numEnvRunners: 0 })
    .training(trainingOf(bonus))
    .debugging({ seed });
  const algorithm = await config.build();
  const begin = process.cpuUsage();
  let foundAt: number | null = null;
  while (algorithm.numEnvSteps < tuned.stopping.stopSteps) {
    const { episodeReturnMean } = await algorithm.train();
    if (foundAt === null && (episodeReturnMean ?? 0) >= 0.9) foundAt = algorithm.numEnvSteps;
  }
  const { user, system } = process.cpuUsage(begin);
  const { returnMean } = await algorithm.evaluate({ numEpisodes: 1, seed: 1_000_000 });
  await algorithm.stop();
  return { returnMean, foundAt, cpuSeconds: (user + system) / 1e6 };
}

console.log(machineLine(describeMachine()));
for (const bonus of flags.bonuses.split(',')) {
  const runs = [];
  for (let seed = 0; seed < Number(flags.seeds); seed++) runs.push(await trainOnce(bonus, seed));
  const solved = runs.filter(({ returnMean }) => returnMean === 1).length;
  const found = runs.map(({ foundAt }) => (foundAt === null ? 'never' : `${Math.round(foundAt / 1000)}k`));
  const seconds = mean(runs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(1);
  console.log(
    `${bonus}: solved by ${solved} of ${runs.length}; found after ${found.join(' ')}; ${seconds} s of processor a run`,
  );
}
