/** A worker that dies in the middle of several agents' rollout changes nothing: it is collected again. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import {
  A2CConfig,
  APPOConfig,
  DQNConfig,
  IMPALAConfig,
  PPOConfig,
  PQNConfig,
  SACConfig,
  SACDiscreteConfig,
  TD3Config,
  TQCConfig,
} from '../../../src/index.ts';
import { comparable } from '../../invariants/run-content.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const MORTAL = fileURLToPath(new URL('./fixtures/mortal-env.ts', import.meta.url));
const MORTAL_AIM = `${MORTAL}#mortalAim`;
const REPLAYED = {
  ...{ batchSize: 8, trainEvery: 4, gradientSteps: 2, updatesPerStep: null, learningStarts: 32 },
  ...{ stepsPerIteration: 64, replayCapacity: 200 },
};
const SUBJECTS = {
  ppo: [PPOConfig, MORTAL, { rolloutLength: 16 }, { minibatchSize: 16, numEpochs: 2 }],
  a2c: [A2CConfig, MORTAL, { rolloutLength: 16 }, {}],
  pqn: [PQNConfig, MORTAL, { rolloutLength: 16 }, { minibatchSize: 16, numEpochs: 2 }],
  impala: [IMPALAConfig, MORTAL, { rolloutLength: 5 }, { fragmentsPerIteration: 4, lag: 2 }],
  'impala, one fragment an iteration': [
    IMPALAConfig,
    MORTAL,
    { rolloutLength: 16 },
    { fragmentsPerIteration: 1, lag: 0 },
  ],
  appo: [APPOConfig, MORTAL, { rolloutLength: 5 }, { fragmentsPerIteration: 4, lag: 2, minibatchSize: 10 }],
  dqn: [DQNConfig, MORTAL, {}, { ...REPLAYED, targetInterval: 64 }],
  'sac-discrete': [SACDiscreteConfig, MORTAL, {}, REPLAYED],
  sac: [SACConfig, MORTAL_AIM, {}, { ...REPLAYED, useGsde: true }],
  td3: [TD3Config, MORTAL_AIM, {}, { ...REPLAYED, noiseProcess: 'ornstein-uhlenbeck' }],
  tqc: [TQCConfig, MORTAL_AIM, {}, { ...REPLAYED, numQuantiles: 5 }],
} as const;

test.each(Object.keys(SUBJECTS) as (keyof typeof SUBJECTS)[])('of %s', async (name) => {
  const [Config, env, envRunners, training] = SUBJECTS[name];
  const learn = async (numEnvRunners: number, envOptions: object) => {
    const algorithm = await new Config({
      environment: { env, envOptions },
      envRunners: { numEnvRunners, numEnvs: 4, ...envRunners },
      training: { hiddenSizes: [12], ...training },
      debugging: { seed: 5, deterministic: true },
    } as never).build();
    const failures: unknown[] = [];
    for (let k = 0; k < 4; k++) failures.push(...((await algorithm.train()).workerFailures ?? []));
    const content = comparable(await algorithm.getState());
    await algorithm.stop();
    return { content, failures };
  };
  const whole = await learn(0, {});
  const hurt = await learn(3, { exitFile: join(temporaryFolder(), 'exit') });
  expect(hurt.failures).toMatchObject([{ isRecovered: true }]);
  expect(hurt.content).toEqual(whole.content);
});
