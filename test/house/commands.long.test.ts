/** Every command of the README and of the pages for authors, on deploying, environments, TensorFlow and tuning: each is run, in the order of its page, or says why not. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { operant } from '../cli/run-in-process.ts';
import { docsProject } from './docs-project.ts';

vi.setConfig({ testTimeout: 600_000 });

const root = fileURLToPath(new URL('../..', import.meta.url));
const TSX = fileURLToPath(import.meta.resolve('tsx'));
const pages = [
  'README.md',
  ...['authors', 'deploy', 'environments', 'tensorflow', 'tuning'].map((name) => `docs/${name}.md`),
];

/** What is not run here, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      '[0, 0], "session": "robot-7", "reset": true',
      '[0.1, 0], "session": "robot-7"',
      '[0.2, 0], "session": "robot-7", "end": true',
    ].map((body) => [
      `curl localhost:8000/act -d '{"observation": ${body}}'`,
      'wants a policy with memory; sessions of one: test/serve/sessions.test.ts',
    ]),
  ),
  'npm ci && npm run train -- --algo ppo --env CartPole': 'in a clone; the check script has one',
  'npm ci && npm test': 'runs this',
  'npx vite examples/browser':
    'serves a page until it is ended; opened by test/examples/browser.long.test.ts',
  'npx operant evaluate --checkpoint league --opponents random,default@10 --episodes 400':
    'wants the tenth version of a league; of a longer one: test/algorithm/league',
  'npx operant tune --env CartPole --num-trials 40 --trial-steps 50000 --on ray --ray-address HOST:6379 --out study-on-ray':
    'wants a cluster; on one: test/tune/on-ray.long.test.ts',
  'npm install @opentelemetry/api': 'from the registry; with its SDK: test/serve/tracing.test.ts',
  'npm install operant': 'from the registry; the packed package: packed-install.long.test.ts',
  'npm run bench:serve': 'a measurement',
  'npm run bench:serve -- --only speed --ray-python PATH': 'a measurement, beside Ray Serve',
  'npx operant install-tensorflow': 'fetches from PyPI; the check script runs it',
  'npx operant train --algo ppo --env CartPole --out runs/cart-pole':
    'preparePage makes a run of that name, which ends at the checkpoint that the page names',
  'npx operant train --env ./my-env.ts#other --env-options \'{"width": 11}\'':
    'stands for another export of the file; with one: projects.long.test.ts',
  'operant train --algo ./my-algorithm.ts#name': 'stands for any; with the example: test/tune/moved.test.ts',
  'train --config my-run.ts': 'with the hooks of its page: snippets.long.test.ts',
  ...Object.fromEntries(
    ['onnx', 'tfjs', 'c', 'js'].map((to) => [
      `operant export --to ${to}`,
      'a cell of a table; whole: snippets.long.test.ts',
    ]),
  ),
  'npx operant bench-serve --url http://127.0.0.1:8000 --connections 32 --seconds 10':
    'wants a server: test/cli/bench-serve.long.test.ts',
  'operant serve': 'a cell of a table; whole below it',
  'train --json': 'every row of it: told-metrics.test.ts',
};
/** Programs that a machine which runs the tests need not have. */
const PROGRAMS = /^(docker|kubectl) /;
const isRun = ({ text }: Command) => NOT_RUN[text] === undefined && !PROGRAMS.test(text);

/** Commands named in a sentence: in these pages they are meant to be typed, where they are whole. */
const PROSE = ['docs/authors.md', 'docs/deploy.md'];

interface Command {
  readonly page: string;
  readonly text: string;
}

/** In blocks of shell, in indented lines, and in sentences; a backslash goes on in the next line, ` # ` begins a comment. */
function commandsOf(page: string): readonly Command[] {
  const text = readFileSync(join(root, page), 'utf8').replace(/ ?\\\n\s*/g, ' ');
  const found: { readonly at: number; readonly line: string }[] = [];
  for (const { index, 1: block } of text.matchAll(/^```sh\n([\s\S]*?)^```/gm))
    for (const line of wholeLines(block)) found.push({ at: index, line });
  for (const { index, 1: line } of text.matchAll(/^ {4}((?:npx|npm|curl|operant|pip|ray) .*)$/gm))
    found.push({ at: index, line });
  if (PROSE.includes(page))
    for (const { index, 1: line } of text.matchAll(/`((?:npx |operant |train |curl |npm )[^`\n]*)`/g))
      found.push({ at: index, line });
  return found
    .sort((a, b) => a.at - b.at)
    .map(({ line }) => ({
      page,
      text: line.replace(/\s+#.*$/, (comment) => (/\s#\s/.test(comment) ? '' : comment)).trim(),
    }))
    .filter(({ text: command }) => command !== '');
}

/** A quote may go on in the next line. */
function wholeLines(block: string): readonly string[] {
  const lines: string[] = [];
  for (const line of block.split('\n')) {
    const isOpen = ((lines.at(-1) ?? '').split("'").length - 1) % 2 === 1;
    if (isOpen) lines.push(`${lines.pop()} ${line.trim()}`);
    else lines.push(line);
  }
  return lines;
}

/** The words of a command line; quotes are single ones. */
const words = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);

/** Of a flag that is given twice, the last counts. */
function shortened([command, ...argv]: readonly string[]): readonly string[] {
  if (command === 'train') return ['--stop-iterations', '2', '--num-env-runners', '0'];
  if (command === 'tune' && !argv.includes('--resume'))
    return ['--num-trials', '3', '--trial-steps', '512', '--final-seeds', '1'];
  if (command === 'evaluate') return ['--episodes', '20'];
  return [];
}

const home = process.cwd();
const servers: ChildProcess[] = [];
afterEach(async () => {
  process.chdir(home);
  for (const server of servers.splice(0)) {
    server.kill('SIGTERM');
    if (server.exitCode === null) await once(server, 'exit');
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Where a page says 8000 or 8001, a port that is free. */
async function portsFor(page: readonly Command[]): Promise<(text: string) => string> {
  const named = [...new Set(page.flatMap(({ text }) => text.match(/\b800[0-9]\b/g) ?? []))];
  const ports = new Map(
    await Promise.all(named.map(async (port) => [port, String(await freePort())] as const)),
  );
  return (text) => text.replaceAll(/\b800[0-9]\b/g, (port) => ports.get(port) ?? port);
}

/** A server as its user starts it, listening. */
async function serve(argv: readonly string[], folder: string): Promise<void> {
  const server = spawn(process.execPath, ['--import', TSX, join(root, 'src/cli/main.ts'), ...argv], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  servers.push(server);
  let said = '';
  for await (const chunk of server.stdout) {
    said += String(chunk);
    if (/listening|"port"/.test(said)) return;
  }
  throw new Error(`It ended: ${said}`);
}

async function run(text: string, folder: string): Promise<string> {
  const [first, second, ...rest] = words(text);
  if (first === 'curl') {
    const { stdout, status } = spawnSync(
      'curl',
      ['--silent', '--show-error', '--fail', ...words(text).slice(1)],
      { encoding: 'utf8' },
    );
    expect(status, text).toBe(0);
    return stdout;
  }
  const argv =
    first === 'npx' && second === 'operant'
      ? rest
      : first === 'operant'
        ? [second, ...rest]
        : first === 'npx' && second === 'train'
          ? ['train', ...rest]
          : null;
  if (argv === null) throw new Error(`${text}: this is neither run nor in NOT_RUN.`);
  if (argv[0] === 'serve') {
    await serve(argv, folder);
    return '';
  }
  const { exitCode, stdout, stderr } = await operant(...argv, ...shortened(argv));
  expect(exitCode, `${text}\n${stderr}`).toBe(0);
  return stdout;
}

/** Files that a page speaks of, from where they lie in this repository. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  'README.md': ['examples/catch.ts', 'examples/reinforce/reinforce.ts', 'examples/reinforce/gradient.ts'],
};

/** What a page takes for granted: the files that it shows or speaks of, and runs of that name. */
async function preparePage(page: string, folder: string): Promise<void> {
  for (const file of FILES[page] ?? []) {
    const code = readFileSync(join(root, file), 'utf8');
    const inProject = code.replaceAll(/'[./]*\/src\/(?:index|exports\/(\w+))\.ts'/g, (_, name) =>
      name === undefined ? "'operant'" : `'operant/${name}'`,
    );
    writeFileSync(join(folder, basename(file)), inProject);
  }
  const space = /^`space\.json`[^\n]*\n\n```json\n([\s\S]*?)^```/m.exec(
    readFileSync(join(root, page), 'utf8'),
  )?.[1];
  if (space !== undefined) writeFileSync(join(folder, 'space.json'), space);
  const network = /^```ts\n(\/\/ my-network\.ts\n[\s\S]*?)^```/m.exec(
    readFileSync(join(root, page), 'utf8'),
  )?.[1];
  if (network !== undefined) writeFileSync(join(folder, 'my-network.ts'), network);
  if (/runs\/cart-pole/.test(readFileSync(join(root, page), 'utf8'))) {
    const tiny = [
      '--no-tuned',
      '--num-envs',
      '2',
      '--rollout-length',
      '8',
      '--minibatch-size',
      '16',
      '--num-epochs',
      '1',
      '--checkpoint-every',
      '50',
    ];
    const { exitCode, stderr } = await operant(
      'train',
      '--env',
      'CartPole',
      ...tiny,
      '--num-env-runners',
      '0',
      '--stop-iterations',
      '115',
      '--out',
      'runs/cart-pole',
      '--quiet',
    );
    expect(exitCode, stderr).toBe(0);
  }
}

test('every reason is one for a command that stands somewhere', () => {
  const all = pages.flatMap(commandsOf).map(({ text }) => text);
  expect(all.length).toBeGreaterThan(15);
  expect(Object.keys(NOT_RUN).filter((text) => !all.includes(text))).toEqual([]);
});

const hasCurl = spawnSync('curl', ['--version']).status === 0;

describe.each(pages.filter((page) => commandsOf(page).some(isRun)))('%s', (page) => {
  test('does what it says', async () => {
    const folder = docsProject();
    process.chdir(folder);
    await preparePage(page, folder);
    const commands = commandsOf(page).filter(isRun);
    const withPorts = await portsFor(commands);
    for (const { text } of commands) {
      if (text.startsWith('curl') && !hasCurl) continue;
      const printed = await run(withPorts(text), folder);
      if (text.includes('/act -d'))
        expect(printed).toMatch(/^\{"action":[01],"model":"cart","version":"000115"\}/);
    }
  });
});
