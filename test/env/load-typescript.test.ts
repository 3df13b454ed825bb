/** The same TypeScript environment under plain node with built code, under tsx, and in threads of both. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { resolveEnv } from '../../src/env/env-source.ts';
import { makeVectorEnv } from '../../src/env/load-env.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'node_modules', '.cache', `operant-load-${process.pid}`);

// An enum, a parameter property and an import of `x.js` that is `x.ts`: none of them is mere type stripping.
const SIZE = `export enum Size { Small = 3 }`;
const ENV = `
import { Size } from './size.js';
class Maze {
  readonly observationSpace;
  constructor(readonly n: number) { this.observationSpace = { kind: 'discrete', n, start: 0 }; }
  actionSpace = { kind: 'discrete', n: 2, start: 0 };
  reset() { return { observation: 0 }; }
  step() { return { observation: 1, reward: 1, terminated: false, truncated: false }; }
}
export const maze = () => new Maze(Size.Small);
`;
const main = (code: string, extension: string) => `
import { resolveEnv } from '${code}/src/env/env-source.${extension}';
import { makeVectorEnv } from '${code}/src/env/load-env.${extension}';
import { registerShippedEnvs } from '${code}/envs/index.${extension}';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
registerShippedEnvs();
const cwd = fileURLToPath(new URL('.', import.meta.url));
const mine = await makeVectorEnv(resolveEnv('./my-env.ts#maze', {}, cwd), 2);
const shipped = await makeVectorEnv(resolveEnv('CartPole'), 2);
const answer = mine.observationSpace.n + '/' + shipped.observationSpace.size;
if (isMainThread) {
  // Node 20 under tsx does not start a thread from a .ts entry, with execArgv neither: a JavaScript entry registers tsx.
  const boot = "import { register } from '" + import.meta.resolve('tsx/esm/api') + "'; register(); await import('" + import.meta.url + "');";
  const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(boot)));
  worker.once('message', (theirs) => { console.log('main ' + answer + ', thread ' + theirs); });
} else parentPort.postMessage(answer);
`;

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      rootDir: root,
      outDir: join(folder, 'dist'),
      declaration: false,
      declarationMap: false,
      sourceMap: false,
    },
    include: [join(root, 'src/env'), join(root, 'envs')],
    exclude: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'size.ts'), SIZE);
  writeFileSync(join(folder, 'my-env.ts'), ENV);
  writeFileSync(join(folder, 'built.mjs'), main('./dist', 'js'));
  writeFileSync(join(folder, 'source.mts'), main('../../..', 'ts'));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
    encoding: 'utf8',
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('plain node, built code, main thread and worker', () => {
  const output = execFileSync(process.execPath, ['built.mjs'], { cwd: folder, encoding: 'utf8' });
  expect(output.trim()).toBe('main 3/4, thread 3/4');
});

it('tsx, source code, main thread and worker', () => {
  const output = execFileSync(process.execPath, ['--import', 'tsx', 'source.mts'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(output.trim()).toBe('main 3/4, thread 3/4');
});

it('vitest', async () => {
  const env = await makeVectorEnv(resolveEnv('./my-env.ts#maze', {}, folder), 1);
  expect(env.observationSpace).toMatchObject({ n: 3 });
});
