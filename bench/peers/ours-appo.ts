/**
 * Operant's APPO as a contestant, on the built package. `contestants.ts` strips the types into a plain module, so that what is timed is plain
 * Node: `node ours-appo.mjs TASK PACKAGE`.
 */
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import type { Answer, AppoTask } from './task.ts';

type Package = typeof import('../../src/index.ts');

const task = JSON.parse(process.argv[2]) as AppoTask & { readonly startedMs: number };
const sinceStart = () => (Date.now() - task.startedMs) / 1000;
const { APPOConfig } = (await import(pathToFileURL(process.argv[3]).href)) as Package;

async function train({ settings, lag, steps, seed, evaluate, evaluationSeed, limitSeconds }: AppoTask) {
  const { env, numWorkers, numEnvs, rolloutLength, hiddenSizes, ...training } = settings;
  const algorithm = await new APPOConfig()
    .environment(env)
    .envRunners({ numEnvRunners: numWorkers, numEnvs, rolloutLength })
    .training({
      ...training,
      ...{ lag, hiddenSizes: [...hiddenSizes], activation: 'tanh', sharedLayers: false },
      minibatchSize: numEnvs * rolloutLength,
    })
    .debugging({ seed })
    .build();
  const ready = sinceStart();
  const begin = performance.now();
  const cpu = process.cpuUsage();
  while (algorithm.numEnvSteps < steps && sinceStart() < (limitSeconds ?? Infinity)) await algorithm.train();
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const cpuSeconds = (user + system) / 1e6;
  const done = sinceStart();
  const returns = evaluate
    ? (await algorithm.evaluate({ numEpisodes: 100, deterministic: true, seed: evaluationSeed })).returns
    : [];
  const times = { seconds, cpuSeconds, ready, sinceStart: done };
  return { ...times, envSteps: algorithm.numEnvSteps, returns } satisfies Answer;
}

const answer = await train(task);
const peakMib = Math.round((process.resourceUsage().maxRSS / 1024) * 10) / 10;
process.stdout.write(`${JSON.stringify({ ...answer, peakMib })}\n`, () => process.exit(0));
