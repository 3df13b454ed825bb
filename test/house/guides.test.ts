/** The guides in docs/: every command in them runs, every snippet too, and every name that they use is there. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { algorithms } from '../../algorithms/registry.ts';
import { listOptions } from '../../src/config/option.ts';
import { SHARED_METRICS } from '../../src/metrics/metric-keys.ts';
import { operant } from '../cli/run-in-process.ts';
import { runCommand } from '../package/packed-project.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const GUIDES = [
  'not-learning',
  'from-gymnasium',
  'from-stable-baselines3',
  'rewards',
  'exploration',
  'memory',
];
/** Of environments that ship. */
const ENVIRONMENT_OPTIONS = ['resetRng'];
const root = fileURLToPath(new URL('../..', import.meta.url));
const TSX = fileURLToPath(import.meta.resolve('tsx'));
const pageOf = (guide: string) => readFileSync(`${root}/docs/${guide}.md`, 'utf8');
const definitions = await Promise.all(Object.values(algorithms).map((find) => find()));
const options = definitions.flatMap((definition) => listOptions(definition.options));

const home = process.cwd();
afterEach(() => process.chdir(home));

function blocks(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, code]) => code,
  );
}

/** Files of a guide's snippets, each named by its first line, with the package by path. */
function writeSnippets(page: string, folder: string): string[] {
  return blocks(page, 'ts').map((code) => {
    const name = /^\/\/ ([\w-]+\.ts)\n/.exec(code)?.[1];
    if (name === undefined) throw new Error(`A snippet must begin with the name of its file: ${code}`);
    writeFileSync(join(folder, name), code.replaceAll("'operant'", `'${root}src/index.ts'`));
    return name;
  });
}

/** Two small iterations show that a command is right; of a flag that is given twice, the last counts. */
function shortened(argv: readonly string[]): string[] {
  const evaluates = argv.includes('--evaluation-interval');
  const isReplayed = ['dqn', 'sac'].some((name) => argv.includes(name));
  const ofRollouts = isReplayed ? [] : ['--rollout-length', '64'];
  const small = ['--stop-iterations', '2', ...ofRollouts, '--num-env-runners', '0'];
  return evaluates ? [...small, '--evaluation-interval', '1'] : small;
}

/** The words of a command line; quotes are single ones. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
}

test.each(GUIDES)('docs/%s.md does what it says', async (guide) => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'project'));
  process.chdir(join(folder, 'project'));
  writeFileSync('package.json', '{"type": "module"}');
  const page = pageOf(guide);
  const snippets = writeSnippets(page, '.');
  if (snippets.length > 0) {
    writeFileSync('all.ts', snippets.map((name) => `await import('./${name}');\n`).join(''));
    const run = runCommand(process.execPath, ['--import', TSX, 'all.ts'], process.cwd());
    expect(run.status, run.stderr).toBe(0);
  }
  const commands = blocks(page, 'sh').flatMap((block) => block.trim().split('\n'));
  expect(commands.length + snippets.length).toBeGreaterThan(0);
  for (const command of commands) {
    const [npx, name, ...argv] = words(command);
    expect([npx, name], command).toEqual(['npx', 'operant']);
    const { exitCode, stderr } = await operant(...argv, ...(argv[0] === 'train' ? shortened(argv) : []));
    expect(exitCode, `${command}\n${stderr}`).toBe(0);
  }
});

test.each(GUIDES)('docs/%s.md names metrics and options that there are', (guide) => {
  const named = [...pageOf(guide).matchAll(/`([^`\n]+)`/g)].map(([, text]) => text);
  const metrics = new Set([
    ...Object.keys(SHARED_METRICS),
    ...definitions.flatMap((definition) => Object.keys(definition.metrics)),
  ]);
  const keys = named.filter((text) => /^(rollout|train|time|evaluation|replay)\/\w+$/.test(text));
  expect(keys.filter((key) => !metrics.has(key))).toEqual([]);
  const known = new Set([...options.map(({ name }) => name), ...apiNames(), ...ENVIRONMENT_OPTIONS]);
  const camel = named.flatMap((text) => /^([a-z]+[A-Z]\w*)(\(.*\))?$/.exec(text)?.[1] ?? []);
  expect(camel.filter((name) => !known.has(name))).toEqual([]);
  const set = named.flatMap((text) => /^([a-z]\w+): /.exec(text)?.[1] ?? []);
  expect(set.filter((name) => !known.has(name))).toEqual([]);
});

/** What the API reference declares: exports, and members of their types. */
function apiNames(): string[] {
  const page = readFileSync(`${root}/docs/api.md`, 'utf8');
  return [
    ...[...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name),
    ...[...page.matchAll(/^ +(?:readonly )?(\w+)\??[(:]/gm)].map(([, name]) => name),
  ];
}

test("each name of Stable-Baselines3's is one that the option beside it answers to", () => {
  const page = pageOf('from-stable-baselines3');
  const tables = page.slice(page.indexOf('| PPO, A2C |'), page.indexOf('| Stable-Baselines3 | Operant |'));
  const rows = [...tables.matchAll(/^\| `(\w+)` \| `(\w+)` \|$/gm)].map(([, theirs, ours]) => [theirs, ours]);
  expect(rows.length).toBeGreaterThan(30);
  const spelled = (name: string) => name.replace(/_/g, '').toLowerCase();
  for (const [theirs, ours] of rows) {
    const names = options
      .filter(({ name }) => name === ours)
      .flatMap(({ name, option }) => [name, ...(option.alsoCalled ?? [])]);
    expect(names.map(spelled), `${theirs} of ${ours}`).toContain(spelled(theirs));
  }
});
