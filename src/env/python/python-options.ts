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
  /** Options of Gymnasium's AtariPreprocessing, by its names; null = frames as they are. */
  readonly atariPreprocessing: JsonObject | null;
  /** Whether the numbers in `info` become metrics. */
  readonly infoMetrics: boolean;
  readonly maxEpisodeSteps: number | null;
  readonly stepDeadlineSeconds: number;
  /** How long each side looks for the other's answer before it sleeps; 0 = not at all. */
  readonly pollMicroseconds: number;
  readonly renderMode: string | null;
}

/** Of an environment of several agents. */
export type PythonAgentsOptions = Omit<
  PythonOptions,
  'suite' | 'vectorization' | 'imports' | 'atariPreprocessing'
> & {
  readonly suite: 'pettingzoo';
  /** Which of a module's two functions makes it; `auto` = `parallel_env` where there is one, else `env`. */
  readonly api: 'auto' | 'aec' | 'parallel';
  /** Deaths of a Python process, one a worker, that it is replaced after. */
  readonly maxRestarts: number;
};

/** What both kinds have. */
const COMMON = {
  reference: '',
  python: null,
  kwargs: {},
  wrappers: [],
  infoMetrics: true,
  maxEpisodeSteps: null,
  stepDeadlineSeconds: 30,
  pollMicroseconds: 300,
  renderMode: null,
};

/** @throws ConfigError `CONFIG_ENV_OPTION`. */
export function readAgentsOptions(given: JsonObject = {}): PythonAgentsOptions {
  const reference = String(given.reference);
  const options = readEnvOptions(reference, given, { ...COMMON, api: 'auto', maxRestarts: 10 });
  checkCommon(reference, options);
  checkRange(reference, 'maxRestarts', options.maxRestarts, 0, 1e9);
  checkChoice(reference, 'api', options.api, ['auto', 'aec', 'parallel']);
  const rest = reference.slice(reference.indexOf(':') + 1);
  const place = rest.includes('#') ? splitFile(rest) : { name: rest, path: '' };
  return { ...options, ...place, suite: 'pettingzoo' } as unknown as PythonAgentsOptions;
}

/** @throws ConfigError `CONFIG_ENV_OPTION`. */
export function readPythonOptions(given: JsonObject = {}): PythonOptions {
  const reference = String(given.reference);
  const options = readEnvOptions(reference, given, {
    ...COMMON,
    imports: [],
    vectorization: 'rows',
    atariPreprocessing: null,
  });
  const [suite, rest] = [
    reference.slice(0, reference.indexOf(':')),
    reference.slice(reference.indexOf(':') + 1),
  ];
  checkChoice(reference, 'vectorization', options.vectorization, ['rows', 'vector']);
  checkCommon(reference, options);
  const vectorization = suite === 'envpool' ? 'vector' : options.vectorization;
  return {
    ...options,
    ...(suite === 'python' ? splitFile(rest) : { name: rest, path: '' }),
    suite: suite as PythonSuite,
    vectorization,
    atariPreprocessing: readAtari(reference, vectorization, options.atariPreprocessing),
  } as unknown as PythonOptions;
}

/** What Gymnasium calls it, and what is set where nothing is said. */
const ATARI = {
  noopMax: ['noop_max', 30],
  frameSkip: ['frame_skip', 4],
  screenSize: ['screen_size', 84],
  terminalOnLifeLoss: ['terminal_on_life_loss', false],
  grayscale: ['grayscale_obs', true],
} as const;

function readAtari(reference: string, vectorization: string, given: unknown): JsonObject | null {
  if (given === null) return null;
  if (!reference.startsWith('gymnasium:ALE/'))
    throw optionError(reference, 'atariPreprocessing', 'left out: it is for gymnasium:ALE/...', given);
  if (vectorization === 'vector')
    throw optionError(
      reference,
      'atariPreprocessing',
      "left out with vectorization 'vector', which has options of its own in `kwargs`",
      given,
    );
  if (typeof given !== 'object' || Array.isArray(given))
    throw optionError(
      reference,
      'atariPreprocessing',
      'an object such as { "terminalOnLifeLoss": true }',
      given,
    );
  const defaults = Object.fromEntries(Object.entries(ATARI).map(([name, [, value]]) => [name, value]));
  const options = readEnvOptions(`${reference} in \`atariPreprocessing\``, given as JsonObject, defaults);
  checkRange(reference, 'atariPreprocessing.noopMax', Number(options.noopMax), 0, 1000);
  checkRange(reference, 'atariPreprocessing.frameSkip', Number(options.frameSkip), 1, 100);
  checkRange(reference, 'atariPreprocessing.screenSize', Number(options.screenSize), 1, 1000);
  return Object.fromEntries(
    Object.entries(ATARI).map(([name, [theirs]]) => [theirs, options[name as keyof typeof ATARI]]),
  );
}

type Common = Readonly<Record<'python' | 'renderMode' | 'wrappers', unknown>> & {
  readonly stepDeadlineSeconds: number;
  readonly pollMicroseconds: number;
};

function checkCommon(reference: string, options: Common): void {
  checkRange(reference, 'stepDeadlineSeconds', options.stepDeadlineSeconds, 0.1, 86_400);
  checkRange(reference, 'pollMicroseconds', options.pollMicroseconds, 0, 10_000);
  for (const name of ['python', 'renderMode'] as const) checkText(reference, name, options[name]);
  checkWrappers(reference, options.wrappers);
}

/** `FILE#NAME`. */
function splitFile(text: string): { name: string; path: string } {
  const at = text.lastIndexOf('#');
  return { name: text.slice(at + 1), path: text.slice(0, at) };
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
