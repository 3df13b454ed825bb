/** `operant new env my-env`: a documented environment and its test, and the command that trains it. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ConfigError } from '../errors.ts';
import type { Command } from './command.ts';
import { readFlags } from './command-flags.ts';
import type { FlagSpec } from './flags.ts';
import { environmentTemplate, testTemplate } from './new-env-template.ts';
import { EXIT } from './report-error.ts';

const USAGE = `Usage: operant new env <name> [flags]

Writes <name>.ts, an environment to change into yours, and <name>.test.ts, which checks it. Overwrites nothing.`;

const FLAGS: readonly FlagSpec[] = [
  { name: 'out', form: '<folder>', doc: 'Where to. [.]' },
  { name: 'js', form: '', doc: 'JavaScript instead of TypeScript.' },
];

/** The command; also `runNewEnv` for a bare argv. */
export const newCommand: Command = async (context) => {
  const [what, name, ...rest] = context.argv;
  const isHelp = context.argv.includes('--help') || context.argv.includes('-h');
  const flags = readFlags({ ...context, argv: isHelp ? ['--help'] : rest }, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  if (what !== 'env' || name === undefined || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new ConfigError(
      'CONFIG_FLAG',
      `Expected \`operant new env <name>\` with a name such as my-env (small letters, digits, dashes), got \`${[what, name].join(' ').trim()}\`.`,
    );
  }
  const isJavaScript = flags.get('js') === 'true';
  const paths = await writeEnvironment(flags.get('out') ?? '.', name, isJavaScript);
  const [environment, test] = paths.map(fromHere);
  const run = `runs/${name}`;
  const loader = isJavaScript ? '' : ' --import tsx';
  context.stdout.write(
    `${environment}   the environment\n${test}   its test\n\n` +
      `Check it:   npx operant check --env ${environment}\n` +
      `Test it:    node${loader} --test ${test}\n` +
      `Train it:   npx operant train --env ${environment} --stop-return 0.5 --stop-steps 300000 --out ${run}\n` +
      `Watch it:   npx operant evaluate --checkpoint ${run} --env ${environment} --watch\n` +
      `Use it:     (await loadPolicy('${run}')).actor().act(observation), from 'operant'; docs/deploy.md says more\n`,
  );
  return EXIT.done;
};

/** `operant new <argv>` on the process's own streams. @returns the exit code. */
export async function runNewEnv(argv: readonly string[]): Promise<number> {
  return newCommand({ argv, stdout: process.stdout, stderr: process.stderr, isVerbose: false });
}

async function writeEnvironment(folder: string, name: string, isJavaScript: boolean): Promise<string[]> {
  const extension = isJavaScript ? 'js' : 'ts';
  const files = [
    { path: join(folder, `${name}.${extension}`), text: environmentTemplate(isJavaScript) },
    { path: join(folder, `${name}.test.${extension}`), text: testTemplate(name, extension) },
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
