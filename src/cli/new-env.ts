/** `operant new env my-env`: a documented environment and its test, and the command that trains it; `operant new browser`, see new-browser.ts. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { ConfigError } from '../errors.ts';
import type { Command } from './command.ts';
import { readFlags } from './command-flags.ts';
import type { FlagSpec } from './flags.ts';
import { writeBrowserPage } from './new-browser.ts';
import { environmentTemplate, playTemplate, testTemplate } from './new-env-template.ts';
import { EXIT } from './report-error.ts';

const USAGE = `Usage: operant new env <name> [flags], operant new browser <name> [--out <folder>]

Writes <name>.ts, an environment to change into yours, <name>.test.ts, which checks it, and <name>.play.ts, which acts with the
trained policy. Overwrites nothing.

new browser: a folder with a page that trains CartPole in itself and shows it, for Vite.`;

const FLAGS: readonly FlagSpec[] = [
  { name: 'out', form: '<folder>', doc: 'Where to. [.]' },
  {
    name: 'js',
    form: '',
    doc: 'JavaScript instead of TypeScript; .mjs where the project is not of type module.',
  },
];

/** The command; also `runNewEnv` for a bare argv. */
export const newCommand: Command = async (context) => {
  const [what, name, ...rest] = context.argv;
  const isHelp = context.argv.includes('--help') || context.argv.includes('-h');
  const flags = readFlags({ ...context, argv: isHelp ? ['--help'] : rest }, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  if (
    (what !== 'env' && what !== 'browser') ||
    name === undefined ||
    !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)
  ) {
    const got = context.argv.length === 0 || name === undefined ? 'no name' : `\`${what} ${name}\``;
    throw new ConfigError(
      'CONFIG_FLAG',
      `Expected \`operant new env <name>\` or \`operant new browser <name>\` with a name such as my-env (small letters, digits, dashes), got ${got}.`,
    );
  }
  const folder = flags.get('out') ?? '.';
  if (what === 'browser') {
    if (flags.get('js') === 'true')
      throw new ConfigError(
        'CONFIG_FLAG',
        '--js is for `operant new env`: Vite takes TypeScript as it is. Leave it out.',
      );
    context.stdout.write(await writeBrowserPage(folder, name));
    return EXIT.done;
  }
  const extension = flags.get('js') !== 'true' ? 'ts' : isModuleProject(folder) ? 'js' : 'mjs';
  const [environment, test, play] = (await writeEnvironment(folder, name, extension)).map(fromHere);
  context.stdout.write(nextSteps({ environment, test, play }, runOf(name), extension === 'ts'));
  return EXIT.done;
};

/** `operant new <argv>` on the process's own streams. @returns the exit code. */
export async function runNewEnv(argv: readonly string[]): Promise<number> {
  return newCommand({ argv, stdout: process.stdout, stderr: process.stderr, isVerbose: false });
}

const runOf = (name: string) => `runs/${name}`;

interface Written {
  readonly environment: string;
  readonly test: string;
  readonly play: string;
}

function nextSteps({ environment, test, play }: Written, run: string, isTypeScript: boolean): string {
  const loader = isTypeScript ? ' --import tsx' : '';
  const evaluate = `npx operant evaluate --checkpoint ${run} --env ${environment}`;
  return (
    `${environment}   the environment\n${test}   its test\n${play}   a program that acts with the trained policy\n\n` +
    `Check it:     npx operant check --env ${environment}\n` +
    `Test it:      node${loader} --test ${test}\n` +
    `Train it:     npx operant train --env ${environment} --stop-return 0.5 --stop-steps 300000 --out ${run}\n` +
    `Evaluate it:  ${evaluate} --episodes 100\n` +
    `Watch it:     ${evaluate} --watch\n` +
    `Go on:        npx operant train --resume ${run} --env ${environment} --stop-return 0.9 --stop-steps 600000\n` +
    `Film it:      ${evaluate} --render ${run}/film.gif\n` +
    `Use it:       node${loader} ${play}\n` +
    `Serve it:     npx operant serve --policy ${run}; node_modules/operant/docs/deploy.md has more: browser, ONNX, C\n` +
    (isTypeScript ? 'In an editor: npm install --save-dev typescript @types/node\n' : '')
  );
}

/** Whether Node takes a `.js` file in this folder as an ES module. */
function isModuleProject(folder: string): boolean {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const manifest = join(at, 'package.json');
    if (existsSync(manifest)) {
      try {
        return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: unknown }).type === 'module';
      } catch {
        return false; // whoever runs Node here is told
      }
    }
    if (at === dirname(at)) return false;
  }
}

async function writeEnvironment(folder: string, name: string, extension: string): Promise<string[]> {
  const imported = extension === 'ts' ? 'js' : extension;
  const files = [
    { path: join(folder, `${name}.${extension}`), text: environmentTemplate(extension !== 'ts') },
    { path: join(folder, `${name}.test.${extension}`), text: testTemplate(name, imported) },
    { path: join(folder, `${name}.play.${extension}`), text: playTemplate(name, imported, runOf(name)) },
  ];
  const existing = files.find(({ path }) => existsSync(path));
  if (existing !== undefined) {
    throw new ConfigError(
      'CONFIG_FILE_EXISTS',
      `${existing.path} is there already. Choose another name, or another folder by --out.`,
    );
  }
  await mkdir(folder, { recursive: true });
  for (const { path, text } of files) await writeFile(path, text);
  return files.map(({ path }) => path);
}

/** The path as one writes it in a shell here. */
function fromHere(path: string): string {
  const short = relative('.', path).replaceAll('\\', '/');
  return short.startsWith('.') ? short : `./${short}`;
}
