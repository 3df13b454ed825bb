/** How many draws of an algorithm's own space it refuses, as they come and as a study draws them. */
import { algorithms } from '../../algorithms/registry.ts';
import { registerShippedEnvs } from '../../envs/index.ts';
import { builtInSpace } from '../../src/tune/built-in-space.ts';
import { randomSearcher } from '../../src/tune/searchers/random.ts';
import { acceptanceOf, completeSettings, trialLayers } from '../../src/tune/settings.ts';
import type { Section } from './report.ts';

const NUM_DRAWS = 10_000;
/** Enough for an iteration of any draw: what is counted is what the algorithm itself refuses. */
const LONG = 2 ** 40;
const CONTINUOUS = ['sac', 'td3', 'tqc'];

export async function countRefused(): Promise<Section> {
  registerShippedEnvs();
  const rows: string[][] = [];
  for (const name of Object.keys(algorithms)) {
    const env = CONTINUOUS.includes(name) ? 'Pendulum-v1' : 'CartPole-v1';
    const [asTheyCome, inStudy] = await refusedOf(name, env);
    rows.push([name, env, percent(asTheyCome), percent(inStudy)]);
  }
  return {
    title: `Draws that an algorithm refuses: ${NUM_DRAWS} random ones of its own space beside its tuned settings`,
    head: ['algorithm', 'environment', 'refused as they come', 'refused in a study, which draws again'],
    rows,
    note: '',
  };
}

async function refusedOf(name: string, env: string): Promise<[number, number]> {
  const definition = await algorithms[name]();
  const given = [{ values: { environment: { env } }, source: 'the bench' }];
  const layers = trialLayers(definition, given, true);
  const space = builtInSpace(definition, layers, { given, isChangedLater: false });
  const settings = completeSettings({ algorithm: name, layers, space, trialSteps: LONG }, definition);
  const accepts = acceptanceOf(settings, definition);
  const count = (known: typeof accepts | undefined) => {
    let numRefused = 0;
    for (let number = 0; number < NUM_DRAWS; number++) {
      const values = randomSearcher({ space, accepts: known, seed: 0, number, past: [] });
      if (values === null || !accepts(values)) numRefused += 1;
    }
    return numRefused;
  };
  return [count(undefined), count(accepts)];
}

const percent = (count: number) => `${((100 * count) / NUM_DRAWS).toFixed(1)} %`;
