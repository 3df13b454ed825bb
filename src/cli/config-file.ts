/** Reads `--config FILE`: JSON, or a module that exports a config or a builder. */
import { readFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readConfigObject } from '../config/config-object.ts';
import { parseStrictJson } from '../config/strict-json.ts';
import { ConfigError } from '../errors.ts';
import { importModule } from '../modules/import-module.ts';
import type { RunCallbacks } from '../run/run-callbacks.ts';

export interface ConfigFile {
  /** For messages. */
  readonly name: string;
  /** The algorithm it names, if it does. */
  readonly algorithm: string | undefined;
  /** Options by section, unchecked. */
  readonly values: unknown;
  /** Hooks of an exported builder. */
  readonly callbacks: readonly RunCallbacks[];
  /** Whether it starts from the defaults tuned for its environment: the same file means the same experiment in a script. */
  readonly isTuned: boolean;
}

const MODULE = /^\.[cm]?[jt]s$/;

/**
 * Reads a config file. A module may export the object or builder as default or as `config`.
 *
 * @throws ConfigError `CONFIG_FILE` when it cannot be read, is not JSON, fails while loading, or holds something else.
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const extension = extname(path);
  if (extension !== '.json' && !MODULE.test(extension)) {
    throw new ConfigError(
      'CONFIG_FILE',
      `Expected --config to be a .json, .ts or .js file, got \`${path}\`.`,
    );
  }
  const content = extension === '.json' ? await readJson(path) : await readModule(path);
  return interpret(content, basename(path));
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    return parseStrictJson(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError('CONFIG_FILE', `The config file \`${path}\` is not JSON: ${reason}.`, { cause });
  }
}

async function readModule(path: string): Promise<unknown> {
  try {
    await readFile(path); // a missing file of its own imports would look the same as this one missing
  } catch (cause) {
    throw unreadable(path, cause);
  }
  let module: Record<string, unknown>;
  try {
    module = await importModule(pathToFileURL(resolve(path)).href);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError('CONFIG_FILE', `The config file \`${path}\` failed while loading: ${reason}`, {
      cause,
    });
  }
  const exported = module.default ?? module.config;
  if (exported === undefined) {
    const message = `Expected \`${path}\` to export a config object or a builder, as default or as \`config\`.`;
    throw new ConfigError('CONFIG_FILE', message);
  }
  return exported;
}

function unreadable(path: string, cause: unknown): ConfigError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConfigError('CONFIG_FILE', `Cannot read the config file \`${path}\`: ${reason}.`, { cause });
}

interface BuilderLike {
  readonly algorithm: string;
  readonly values: unknown;
  readonly hooks: readonly RunCallbacks[];
  readonly isTuned: boolean;
}

function isBuilder(content: unknown): content is BuilderLike {
  const candidate = content as Partial<Record<string, unknown>> | null;
  return typeof candidate?.validate === 'function' && typeof candidate.run === 'function';
}

function interpret(content: unknown, name: string): ConfigFile {
  if (isBuilder(content)) {
    const { algorithm, values, hooks, isTuned } = content;
    return { name, algorithm, values, callbacks: hooks, isTuned };
  }
  const { algorithm, sections, isTuned } = readConfigObject(content, name);
  return { name, algorithm, values: sections, callbacks: [], isTuned };
}
