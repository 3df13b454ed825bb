/** The options of an environment in Python, and what its name says. */
import { ConfigError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { checkChoice, checkRange, readEnvOptions } from '../env-options.ts';

/** Which of Python's libraries makes it; `python` = a function in a file of the user's. */
export type PythonSuite = 'gymnasium' | 'envpool' | 'python';

export interface PythonOptions {
  /** As the user wrote it, a path made absolute: `gymnasium:LunarLander-v3`, `python:/home/me/my_env.py#make`. */
  readonly reference: string;
  readonly suite: PythonSuite;
  /** Id, or name of the function. */
  readonly name: string;
  /** Of the file of a function; else empty. */
  readonly path: string;
  /** The interpreter; null = see `findPython`. */
  readonly python: string | null;
  /** What `make` gets. */
  readonly kwargs: JsonObject;
  /** `{ name, options }`, innermost first: of `gymnasium.wrappers`, or `module:Class`. */
  readonly wrappers: readonly JsonObject[];
  /** Modules imported beforehand, since they register environments. */
  readonly imports: readonly string[];
  readonly vectorization: 'rows' | 'vector';
  /** Whether the numbers in `info` become metrics. */
  readonly infoMetrics: boolean;
  readonly maxEpisodeSteps: number | null;
  readonly stepDeadlineSeconds: number;
  readonly renderMode: string | null;
}

/** @throws ConfigError `CONFIG_ENV_OPTION`. */
export function readPythonOptions(given: JsonObject = {}): PythonOptions {
  const reference = String(given.reference);
  const options = readEnvOptions(reference, given, {
    reference: '',
    python: null,
    kwargs: {},
    wrappers: [],
    imports: [],
    vectorization: 'rows',
    infoMetrics: true,
    maxEpisodeSteps: null,
    stepDeadlineSeconds: 30,
    renderMode: null,
  });
  const [suite, rest] = [
    reference.slice(0, reference.indexOf(':')),
    reference.slice(reference.indexOf(':') + 1),
  ];
  checkChoice(reference, 'vectorization', options.vectorization, ['rows', 'vector']);
  checkRange(reference, 'stepDeadlineSeconds', options.stepDeadlineSeconds, 0.1, 86_400);
  for (const name of ['python', 'renderMode'] as const) checkText(reference, name, options[name]);
  checkWrappers(reference, options.wrappers);
  const at = rest.lastIndexOf('#');
  const isFile = suite === 'python';
  return {
    ...options,
    suite: suite as PythonSuite,
    name: isFile ? rest.slice(at + 1) : rest,
    path: isFile ? rest.slice(0, at) : '',
    vectorization: suite === 'envpool' ? 'vector' : options.vectorization,
  } as unknown as PythonOptions;
}

function checkText(reference: string, name: string, value: unknown): void {
  if (value === null || typeof value === 'string') return;
  throw optionError(reference, name, 'a text or null', value);
}

function checkWrappers(reference: string, wrappers: unknown): void {
  const isOne = (wrapper: unknown) => typeof (wrapper as { name?: unknown } | null)?.name === 'string';
  if (Array.isArray(wrappers) && wrappers.every(isOne)) return;
  throw optionError(reference, 'wrappers', 'a list of { "name": ..., "options": {...} }', wrappers);
}

function optionError(reference: string, name: string, wanted: string, value: unknown): ConfigError {
  return new ConfigError(
    'CONFIG_ENV_OPTION',
    `Expected option \`${name}\` of ${reference} to be ${wanted}, got ${JSON.stringify(value)}.`,
  );
}
