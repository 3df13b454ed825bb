/** Ours, as rllib_runners.py does it: `node ours.ts TASK`. */
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PPOConfig } from '../../../src/index.ts';
import type { Settings } from '../../peers/settings.ts';

/** What both are told. */
export interface RunnersTask {
  readonly address: string;
  readonly settings: Settings;
  readonly seed: number;
  readonly steps: number;
  readonly stopReturn: number;
  readonly limitSeconds: number;
}

const NUM_HOSTS = 2;

const task = JSON.parse(process.argv[2]) as RunnersTask;
const sinceStart = () => process.uptime();
const say = (values: object) => console.log(JSON.stringify(values));
const parentOf = (pid: number) =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1]);

const build = ({ address, settings, seed }: RunnersTask) => {
  const { env, numEnvs, rolloutLength, learningRate, clipRange, logStdInit: _, ...training } = settings;
  return new PPOConfig()
    .environment(env)
    .envRunners({
      ...{ numEnvs, rolloutLength, runners: 'ray', rayAddress: address },
      ...{ numRolloutHosts: NUM_HOSTS, numEnvRunners: 1 },
    })
    .training({
      ...training,
      hiddenSizes: [...training.hiddenSizes],
      learningRate: learningRate.from,
      clipRange: clipRange.from,
    })
    .debugging({ seed })
    .build();
};

const algorithm = await build(task);
const ready = sinceStart();
let mean = -Infinity;
while (mean < task.stopReturn && algorithm.numEnvSteps < task.steps && sinceStart() < task.limitSeconds)
  mean = (await algorithm.train()).episodeReturnMean ?? -Infinity;
const end = sinceStart();
const described = algorithm.describeHosts?.() as { readonly hosts: readonly { readonly pid: number }[] };
const rollouts = described.hosts.map(({ pid }) => pid);
const actors = rollouts.map(parentOf);
const bridges = readdirSync('/proc')
  .map(Number)
  .filter((pid) => {
    try {
      return parentOf(pid) === process.pid;
    } catch {
      return false; // it has ended, or is no process
    }
  });
say({
  ...{ reached: mean >= task.stopReturn, sinceStart: end, envSteps: algorithm.numEnvSteps },
  ...{ stepsPerSecond: algorithm.numEnvSteps / (end - ready) },
  pids: [process.pid, ...bridges, ...actors, ...rollouts],
});
await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
process.kill(actors[0], 'SIGKILL');
const begin = performance.now();
const elapsed = () => (performance.now() - begin) / 1000;
let numLost = (await algorithm.train()).metrics['rollout/numWorkerRestarts'];
const firstIteration = elapsed();
while (numLost === 0 && elapsed() < task.limitSeconds)
  numLost += (await algorithm.train()).metrics['rollout/numWorkerRestarts'];
say({ recovery: elapsed(), firstIteration, isBack: numLost === 1 });
await algorithm.stop();
process.exit(0);
