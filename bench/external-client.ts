/** The simulator of `bench:external`: CartPoles in a process of their own. */
import '../src/index.ts'; // registers the environments
import { resolveEnv } from '../src/env/env-source.ts';
import { serveEnvs } from '../src/env/external/client/operant-client.ts';
import { makeEnv } from '../src/env/load-env.ts';
import { spaceToJson } from '../src/env/space-json.ts';

const [address, numEnvs] = process.argv.slice(2);
const envs = await Promise.all(
  Array.from({ length: Number(numEnvs) }, () => makeEnv(resolveEnv('CartPole-v1'))),
);
const [first] = envs;
await serveEnvs(address, {
  name: 'CartPole',
  numEnvs: envs.length,
  observationSpace: spaceToJson(first.observationSpace) as { kind: string },
  actionSpace: spaceToJson(first.actionSpace) as { kind: string },
  maxEpisodeSteps: 500,
  makeEnv: (index) => ({
    reset: (seed) => envs[index].reset({ seed }),
    step: (action) => envs[index].step(action),
  }),
});
