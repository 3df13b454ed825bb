/** Every block of code in the README and in docs/: TypeScript compiles, Python parses, and what can act does. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { operant } from '../cli/run-in-process.ts';
import { runCommand } from '../package/packed-project.ts';
import { docsProject, PAGES } from './docs-project.ts';

vi.setConfig({ testTimeout: 300_000 });

const root = fileURLToPath(new URL('../..', import.meta.url));
const TSX = fileURLToPath(import.meta.resolve('tsx'));
/** What a block takes from the text around it, by its page and number. */
const AROUND: Readonly<Record<string, string>> = {
  'docs/agents.md 2': "import { PPOConfig } from 'operant';",
  'docs/agents.md 3': "import type { Algorithm } from 'operant'; declare const algorithm: Algorithm;",
  'docs/deploy.md 1': "import { loadPolicy } from 'operant/policy';",
  'docs/environments.md 2': "import type { EnvFactory } from 'operant'; declare const createEnv: EnvFactory;",
  'docs/environments.md 3': "import { PPOConfig } from 'operant';",
  'docs/environments.md 4':
    "import { type Env, frameStackObservation, grayscaleObservation, resizeObservation, timeLimit } from 'operant'; declare const game: () => Env;",
  'docs/environments.md 5':
    "import { registerEnv, singleFactory, vectorFactory } from 'operant'; declare const myKernel: Parameters<typeof singleFactory>[0];",
  'docs/environments.md 6':
    "import { SACConfig, saveEpisodes } from 'operant'; declare const observations: Float32Array, actions: Float32Array, rewards: Float32Array;",
};

interface Block {
  readonly page: string;
  readonly code: string;
}

function blocks(language: string): readonly (Block & { readonly name: string })[] {
  return PAGES.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const found = [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))];
    return found.map(([, code], k) => ({ page, code, name: `${page} ${k}` }));
  });
}

const fileOf = (name: string) => name.replaceAll(/[/. ]/g, '-');
const blockOf = (language: string, name: string) => {
  const found = blocks(language).find((block) => block.name === name);
  if (found === undefined) throw new Error(`There is no ${language} block ${name}.`);
  return found.code;
};

test('TypeScript compiles, with what the text around it has', () => {
  const folder = docsProject();
  const names = blocks('ts').map(({ name, code }) => {
    writeFileSync(join(folder, `${fileOf(name)}.ts`), `${AROUND[name] ?? ''}\n${code}\nexport {};\n`);
    return name;
  });
  expect(names.length).toBeGreaterThan(15);
  expect(Object.keys(AROUND).filter((name) => !names.includes(name))).toEqual([]);
  const compilerOptions = {
    ...{
      target: 'es2023',
      lib: ['es2023', 'es2024.sharedmemory', 'dom', 'esnext.disposable'],
      module: 'nodenext',
      strict: true,
    },
    ...{ noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true },
    typeRoots: [join(root, 'node_modules/@types')],
    types: ['node'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const { stdout } = runCommand(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], folder);
  expect(stdout).toBe('');
});

const hasPython = spawnSync('python3', ['--version']).status === 0;
const gymnasium = process.env.OPERANT_GYM_PYTHON ?? 'python3';
const hasGymnasium = spawnSync(gymnasium, ['-c', 'import gymnasium']).status === 0;

test.skipIf(!hasPython)('Python parses', () => {
  const found = blocks('python');
  expect(found.length).toBeGreaterThan(2);
  for (const { name, code } of found) {
    const script = 'import sys; compile(sys.stdin.read(), sys.argv[1], "exec")';
    const { status, stderr } = spawnSync('python3', ['-c', script, name], { input: code, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  }
});

test.skipIf(!hasGymnasium)("the environment of Gymnasium's that is ported plays", () => {
  const imports = 'import gymnasium as gym\nimport numpy as np\nfrom gymnasium import spaces\n';
  const use = 'env = GridWorld()\nenv.reset(seed=1)\nprint(len(env.step(2)))\n';
  const code = `${imports}${blockOf('python', 'docs/from-gymnasium.md 0')}\n${use}`;
  const { stdout, stderr } = spawnSync(gymnasium, ['-c', code], { encoding: 'utf8' });
  expect(stdout, stderr).toBe('5\n');
});

describe('with a policy', () => {
  let folder: string;
  beforeAll(async () => {
    folder = docsProject();
    const few = ['--stop-iterations', '1', '--num-env-runners', '0', '--quiet'];
    for (const name of ['my-run', 'cart-pole'])
      await operant('train', '--env', 'CartPole', '--out', join(folder, 'runs', name), ...few);
  });

  const run = (code: string) => {
    writeFileSync(join(folder, 'snippet.ts'), code);
    const finished = runCommand(process.execPath, ['--import', TSX, 'snippet.ts'], folder);
    expect(finished.status, finished.stderr).toBe(0);
    return finished.stdout;
  };

  test('the hooks of docs/authors.md', async () => {
    const config = join(folder, 'my-run.ts');
    writeFileSync(config, blockOf('ts', 'docs/authors.md 0'));
    const flags = [
      '--stop-iterations',
      '2',
      '--num-env-runners',
      '0',
      '--evaluation-interval',
      '1',
      '--json',
    ];
    const main = join(root, 'src/cli/main.ts');
    const args = ['--import', TSX, main, 'train', '--config', config, '--out', 'runs/hooks', ...flags];
    const { status, stdout, stderr } = runCommand(process.execPath, args, folder);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('"user/longest":');
    expect(stdout + stderr).toContain('runs/hooks/checkpoints/000002');
  });

  test('what docs/authors.md looks at', () => {
    expect(run(blockOf('ts', 'docs/authors.md 1'))).toMatch(/^\[.*\] -?[\d.e-]+\n\[ [01], [01] \]\n$/);
  });

  test('the readers and the server of docs/deploy.md', () => {
    const reader = AROUND['docs/deploy.md 1'] + blockOf('ts', 'docs/deploy.md 1');
    expect(run(`${reader}\nconsole.log(policy.act([0, 0, 0, 0]));`)).toMatch(/^[01]\n$/);
    const address = blockOf('ts', 'docs/deploy.md 0')
      .replace(/^import .*/m, '')
      .replace(/^const policy = .*$/m, '');
    run(`${reader}\n${address}`);
    run(blockOf('ts', 'docs/deploy.md 3').replace('port: 8000', 'port: 0'));
  });

  test('the exports of docs/deploy.md, each read by the program beside it', async () => {
    const checkpoint = ['--checkpoint', join(folder, 'runs/cart-pole')];
    const exported = async (to: string, file: string) => {
      const { exitCode, stderr } = await operant(
        'export',
        ...checkpoint,
        '--to',
        to,
        '--out',
        join(folder, file),
      );
      expect(exitCode, stderr).toBe(0);
    };
    await exported('js', 'policy.js');
    const [act] = blocks('js').filter(({ code }) => code.includes('./policy.js'));
    const acting = act.code.replace(/^act\((.*)\);$/m, 'console.log(act($1));');
    writeFileSync(join(folder, 'acts.js'), acting);
    expect(runCommand(process.execPath, ['acts.js'], folder).stdout).toMatch(/^\S/);
    if (spawnSync('cc', ['--version']).status === 0) {
      await exported('c', 'policy.h');
      const [head, body] = blockOf('c', 'docs/deploy.md 0').split(/(?<=SIZE\];\n)/);
      writeFileSync(
        join(folder, 'main.c'),
        `#include <stddef.h>\n${head}int main(void) {\n${body}return 0; }\n`,
      );
      const compiled = runCommand('cc', ['-std=c99', 'main.c', '-lm', '-o', 'main'], folder);
      expect(compiled.status, compiled.stderr).toBe(0);
      expect(runCommand(join(folder, 'main'), [], folder).status).toBe(0);
    }
    const python = process.env.OPERANT_ONNX_PYTHON ?? '';
    if (python === '') return;
    await exported('onnx', 'cart-pole.onnx');
    writeFileSync(join(folder, 'acts.py'), `${blockOf('python', 'docs/deploy.md 0')}\nprint(action.shape)\n`);
    const acted = runCommand(python, ['acts.py'], folder);
    expect(acted.stdout, acted.stderr).toMatch(/^\(1,/);
  });
});
