/**
 * What recurrent cells learn in the worlds that need memory, and what the same networks learn without: `npm run bench:memory`.
 *
 *     npm run bench:memory -- [--only TMaze-v0,RepeatFirst-v0] [--seeds 5] [--cells lstm,gru,none]
 *     npm run bench:memory -- --speed [--python PATH]
 *
 * PPO with the tuned settings, to their last step; mean return of 100 greedy episodes a seed, their mean, Student's lower end of 95 %, and
 * the threshold that it is held against. In this process, on one thread. `--speed` instead: a minibatch of 2048 rows through actor and critic with 128
 * units each, heads on the cells, with the same in PyTorch in between, and acting with 64 rows (bench/recurrent-speed.ts). PyTorch's interpreter is `--python`, or
 * the one that `npm run bench:peers` installs.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { tunedPPO } from '../algorithms/ppo/tuned.ts';
import { listEnvs, PPOConfig } from '../src/index.ts';
import { describeMachine, machineLine } from './machine.ts';
import { printSpeed } from './recurrent-speed.ts';
import { mean, studentInterval } from './statistics.ts';

const { values: flags } = parseArgs({
  options: {
    only: {
      type: 'string',
      default: 'CartPoleNoVelocity-v0,PendulumNoVelocity-v0,TMaze-v0,RepeatFirst-v0',
    },
    seeds: { type: 'string', default: '5' },
    cells: { type: 'string', default: 'lstm,gru,none' },
    speed: { type: 'boolean', default: false },
    python: { type: 'string', default: '' },
  },
});

/** Greedy mean after the last step, and the processor's seconds. */
async function trainOnce(env: string, cell: string, seed: number) {
  const config = new PPOConfig()
    .environment(env)
    .tuned()
    .envRunners({ numEnvRunners: 0 })
    .debugging({ seed });
  config.training({ recurrent: cell === 'none' ? null : (cell as 'lstm' | 'gru') });
  const algorithm = await config.build();
  const begin = process.cpuUsage();
  const budget = (tunedPPO[env] as { stopping: { stopSteps: number } }).stopping.stopSteps;
  while (algorithm.numEnvSteps < budget) await algorithm.train();
  const { user, system } = process.cpuUsage(begin);
  const { returnMean } = await algorithm.evaluate({ numEpisodes: 100, seed: 1_000_000 });
  await algorithm.stop();
  return { returnMean, cpuSeconds: (user + system) / 1e6 };
}

console.log(machineLine(describeMachine()));
if (flags.speed) await printSpeed(flags.python);
for (const env of flags.speed ? [] : flags.only.split(',')) {
  const threshold = listEnvs().find(({ id }) => id === env)?.rewardThreshold;
  for (const cell of flags.cells.split(',')) {
    const returns: number[] = [];
    const seconds: number[] = [];
    for (let seed = 0; seed < Number(flags.seeds); seed++) {
      const { returnMean, cpuSeconds } = await trainOnce(env, cell, seed);
      returns.push(returnMean);
      seconds.push(cpuSeconds);
    }
    const each = returns.map((value) => value.toFixed(2)).join(' ');
    console.log(
      `${env} ${cell}: ${mean(returns).toFixed(2)}, lower end ${studentInterval(returns)[0].toFixed(2)} (threshold ${threshold}); ${each}; ${mean(seconds).toFixed(1)} s of processor a run`,
    );
  }
}
