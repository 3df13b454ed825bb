/** The worked examples of docs/external.md, as they stand there: the clients as programs of their own, the run through the public interface. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PPOConfig } from '../../../src/index.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { freePort, isOpen, NODE, start } from './programs.ts';

const path = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(
    readFileSync(path('docs/external.md'), 'utf8'),
  );
  if (found === null) throw new Error(`docs/external.md has no block of ${language}.`);
  return found[1];
}

function javascript(folder: string): string[] {
  const client = path('src/env/external/client/operant-client.ts');
  writeFileSync(join(folder, 'catch.mjs'), block('js').replace("'operant/client'", JSON.stringify(client)));
  return [...NODE, join(folder, 'catch.mjs')];
}

function python(folder: string): string[] {
  copyFileSync(path('src/env/external/client/operant_client.py'), join(folder, 'operant_client.py'));
  writeFileSync(join(folder, 'catch.py'), block('python'));
  return ['python3', join(folder, 'catch.py')];
}

it.each([
  ['JavaScript', javascript],
  ['Python', python],
])('the client in %s is trained in, ends by itself, and learns', async (_, write) => {
  const port = await freePort();
  const simulator = start([...write(temporaryFolder()), `ws://127.0.0.1:${port}`]);
  const algorithm = await new PPOConfig()
    .environment('external:Catch', { port })
    .envRunners({ numEnvs: 4, rolloutLength: 128 })
    .training({ learningRate: 0.01, minibatchSize: 128, hiddenSizes: [16] })
    .build();
  const returns: number[] = [];
  for (let k = 0; k < 25; k++) {
    const { metrics } = await algorithm.train();
    returns.push(metrics['rollout/episodeReturnMean']);
  }
  await algorithm.stop();
  expect(await simulator.ended).toBe(0);
  expect(await isOpen(port)).toBe(false);
  // Chance catches one ball in seven or so.
  expect(returns[0]).toBeLessThan(0.5);
  expect(returns.at(-1)).toBeGreaterThan(0.7);
});
