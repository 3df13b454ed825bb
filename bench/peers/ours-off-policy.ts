/**
 * Operant's DQN, SAC and TD3 as a contestant, on the built package. `contestants.ts` strips the types into a plain module, so that what is
 * timed is plain Node: `node ours-off-policy.mjs TASK PACKAGE`.
 */
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import type { DqnSettings, OffPolicySettings, SacSettings, Td3Settings } from './off-policy-settings.ts';
import type { Answer, OffPolicyTask } from './task.ts';

type Package = typeof import('../../src/index.ts');

const task = JSON.parse(process.argv[2]) as OffPolicyTask & { readonly startedMs: number };
const sinceStart = () => (Date.now() - task.startedMs) / 1000;
const { DQNConfig, SACConfig, TD3Config } = (await import(pathToFileURL(process.argv[3]).href)) as Package;

const shared = ({ hiddenSizes, bufferSize, ...settings }: OffPolicySettings) => ({
  hiddenSizes: [...hiddenSizes],
  replayCapacity: bufferSize,
  batchSize: settings.batchSize,
  learningStarts: settings.learningStarts,
  gamma: settings.gamma,
  trainEvery: settings.trainEvery,
  gradientSteps: settings.gradientSteps,
});

function dqn(settings: DqnSettings) {
  const { learningRate, targetInterval, explorationSteps, finalEpsilon, maxGradNorm } = settings;
  return new DQNConfig().training({
    ...shared(settings),
    ...{ learningRate, targetInterval, maxGradNorm },
    epsilon: {
      schedule: 'piecewise',
      points: [
        [0, 1],
        [explorationSteps, finalEpsilon],
      ],
    },
  });
}

function actorCritic(settings: SacSettings | Td3Settings) {
  const { learningRate, tau } = settings;
  const training = {
    ...shared(settings),
    ...{ actorLearningRate: learningRate, criticLearningRate: learningRate, tau },
  };
  return settings.algorithm === 'sac'
    ? new SACConfig().training(training)
    : new TD3Config().training(training);
}

async function train({
  settings,
  steps,
  seed,
  oneThread,
  evaluate,
  evaluationSeed,
  limitSeconds,
}: OffPolicyTask) {
  const config = settings.algorithm === 'dqn' ? dqn(settings) : actorCritic(settings);
  const algorithm = await config
    .environment(settings.env)
    .envRunners({ numEnvs: 1, ...(oneThread === true && { numEnvRunners: 0 }) })
    .learners(oneThread === true ? { numLearnerThreads: 1 } : {})
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

/** A look takes 30 ms, so there is none before the last ten episodes are long. */
const CHECK_ABOVE = 250;

/** Time to a greedy mean of 100 episodes that is as high at the next look, an iteration later and on other episodes. */
async function solve(heldReturn: number, { settings, steps, seed, evaluationSeed }: OffPolicyTask) {
  const algorithm = await new DQNConfig()
    .tuned()
    .environment(settings.env)
    .evaluation({ evaluationNumEnvs: 64 })
    .debugging({ seed })
    .build();
  let recent: number[] = [];
  let numHeld = 0;
  while (algorithm.numEnvSteps < steps) {
    const { numEnvSteps, episodes } = await algorithm.train();
    recent = [...recent, ...episodes.map(({ episodeReturn }) => episodeReturn)].slice(-10);
    const mean = recent.reduce((sum, value) => sum + value, 0) / recent.length;
    if (numHeld === 0 && !(mean >= CHECK_ABOVE)) continue;
    const look = { numEpisodes: 100, deterministic: true, seed: evaluationSeed + numEnvSteps };
    const { returnMean } = await algorithm.evaluate(look);
    numHeld = returnMean >= heldReturn ? numHeld + 1 : 0;
    if (numHeld < 2) continue;
    return {
      seconds: sinceStart(),
      envSteps: numEnvSteps,
      confirmed: returnMean,
      solved: true,
    } satisfies Answer;
  }
  return { seconds: sinceStart(), envSteps: steps, confirmed: null, solved: false } satisfies Answer;
}

const answer = await (task.heldReturn === undefined ? train(task) : solve(task.heldReturn, task));
const peakMib = Math.round((process.resourceUsage().maxRSS / 1024) * 10) / 10;
process.stdout.write(`${JSON.stringify({ ...answer, peakMib })}\n`, () => process.exit(0));
