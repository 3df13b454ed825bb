/** `operant check`: whether an environment keeps its promises. */
import { registerShippedEnvs } from '../../envs/index.ts';
import { showValue } from '../config/problems.ts';
import { jsonObject } from '../config/value-kind.ts';
import { checkEnv } from '../env/check-env.ts';
import { formatCheckReport } from '../env/check-report.ts';
import { resolveEnv } from '../env/env-source.ts';
import { loadEnvFactory } from '../env/load-env.ts';
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags, readInteger } from './command-flags.ts';
import type { FlagSpec, FlagValues } from './flags.ts';
import { parseFlag } from './option-flags.ts';
import { EXIT } from './report-error.ts';

const USAGE = `Usage: operant check --env <id|path> [flags]

Plays an environment with random actions, says which promises it breaks and how to mend each, and ends with 1 when there are errors.`;

const ENV_OPTIONS: FlagSpec = {
  name: 'env-options',
  form: '<JSON>',
  doc: "Options handed to the environment's factory. [{}]",
};

const FLAGS: readonly FlagSpec[] = [
  {
    name: 'env',
    form: '<id|path>',
    doc: 'A registered id (CartPole), or a module with the environment: ./my-env.ts, ./my-env.ts#name.',
  },
  ENV_OPTIONS,
  { name: 'steps', form: '<integer>', doc: 'Random steps to play. [2000]' },
  { name: 'seed', form: '<integer>', doc: 'Seed of the first episode and of the actions. [0]' },
  JSON_FLAG,
];

export async function checkCommand(context: CommandContext): Promise<number> {
  const flags = readFlags(context, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  const env = flags.get('env');
  if (env === undefined)
    throw new ConfigError(
      'CONFIG_FLAG',
      'Which environment? Give --env <id|path>, such as --env ./my-env.ts.',
    );
  const numSteps = readInteger(flags, 'steps', 1);
  const seed = readInteger(flags, 'seed', 0);
  registerShippedEnvs();
  if (/^(external|stdio|godot):/.test(env))
    throw new ConfigError(
      'CONFIG_ENV_ASYNC',
      `${env} connects, and a check needs an environment that answers at once: train it, every answer is checked there by the same rules.`,
    );
  const factory = await loadEnvFactory(resolveEnv(env, readEnvOptions(flags)));
  const report = checkEnv(factory, {
    ...(numSteps === undefined ? {} : { numSteps }),
    ...(seed === undefined ? {} : { seed }),
  });
  const text = flags.get('json') === 'true' ? JSON.stringify({ env, ...report }) : formatCheckReport(report);
  context.stdout.write(`${text}\n`);
  return report.ok ? EXIT.done : EXIT.failure;
}

/** The object of `--env-options`. @throws ConfigError `CONFIG_FLAG`, `CONFIG_TYPE` for anything else. */
export function readEnvOptions(flags: FlagValues): JsonObject {
  const text = flags.get(ENV_OPTIONS.name);
  if (text === undefined) return {};
  const { schema, expects, parse } = jsonObject();
  const result = schema.safeParse(parseFlag(ENV_OPTIONS.name, parse, text));
  if (result.success) return result.data;
  throw new ConfigError(
    'CONFIG_TYPE',
    `Expected --${ENV_OPTIONS.name} to be ${expects}, got ${showValue(text)}.`,
  );
}
