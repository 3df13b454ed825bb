/**
 * Wrappers by name: what a list in a config may hold, around single environments and around vectors alike.
 *
 *     wrappers: [{ name: 'rescaleAction', low: -1, high: 1 }, { name: 'frameStackObservation', numFrames: 4 }]   innermost first
 */
import { ConfigError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import type { Env } from '../env.ts';
import type { VectorEnv } from '../vector-env.ts';
import {
  clipTransform,
  discretizeActionTransform,
  rescaleActionTransform,
  stickyTransform,
} from './actions.ts';
import { grayscaleTransform, resizeTransform } from './images.ts';
import { delayTransform, frameStackTransform, timeAwareTransform } from './memory.ts';
import {
  discretizeObservationTransform,
  dtypeTransform,
  filterTransform,
  flattenTransform,
  rescaleObservationTransform,
  reshapeTransform,
} from './observations.ts';
import { maxAndSkipObservation, repeatAction } from './repetition.ts';
import { clipReward, clipVectorRewards } from './rewards.ts';
import type { ActionTransform, ObservationTransform, TransformedEnv } from './row-transforms.ts';
import { timeLimit } from './time.ts';
import { transformActions, transformObservations } from './transform-env.ts';
import { transformVectorActions, transformVectorObservations } from './transform-vector-env.ts';
import { repeatVectorActions } from './vector-repetition.ts';
import { limitVectorTime } from './vector-time-limit.ts';

/** `name`, and its options by name. */
export type WrapperEntry = JsonObject & { readonly name: string };

type OptionType = 'number' | 'boolean' | 'text' | 'number or numbers' | 'numbers' | 'names';

interface ListedOption {
  readonly type: OptionType;
  readonly isRequired?: true;
}

/** In the order of the function's parameters. */
type ListedOptions = Readonly<Record<string, ListedOption>>;

interface ListedWrapper {
  readonly options: ListedOptions;
  wrap(env: Env, values: readonly never[]): Env;
  wrapVector(env: VectorEnv, values: readonly never[]): VectorEnv;
}

type Values = readonly never[];

const observing = (
  options: ListedOptions,
  transform: (env: TransformedEnv, ...values: Values) => ObservationTransform,
): ListedWrapper => ({
  options,
  wrap: (env, values) => transformObservations(env, transform(env, ...values)),
  wrapVector: (env, values) => transformVectorObservations(env, transform(described(env), ...values)),
});

const acting = (
  options: ListedOptions,
  transform: (env: TransformedEnv, ...values: Values) => ActionTransform,
): ListedWrapper => ({
  options,
  wrap: (env, values) => transformActions(env, transform(env, ...values)),
  wrapVector: (env, values) => transformVectorActions(env, transform(described(env), ...values)),
});

const described = (env: VectorEnv): TransformedEnv => ({
  observationSpace: env.observationSpace,
  actionSpace: env.actionSpace,
  maxEpisodeSteps: env.maxEpisodeSteps ?? null,
  masksActions: env.actionMaskSize > 0,
});

const number: ListedOption = { type: 'number' };
const needed = (type: OptionType): ListedOption => ({ type, isRequired: true });
const bounds: ListedOptions = { low: number, high: number };
const bins: ListedOptions = { bins: needed('number or numbers'), multiDiscrete: { type: 'boolean' } };

const WRAPPERS: Readonly<Record<string, ListedWrapper>> = {
  clipAction: acting({}, clipTransform),
  rescaleAction: acting(bounds, rescaleActionTransform),
  discretizeAction: acting(bins, discretizeActionTransform),
  stickyAction: acting({ probability: number }, stickyTransform),
  repeatAction: {
    options: { numSteps: needed('number') },
    wrap: (env, [numSteps]) => repeatAction(env, numSteps),
    wrapVector: (env, [numSteps]) => repeatVectorActions(env, numSteps, false),
  },
  flattenObservation: observing({}, flattenTransform),
  rescaleObservation: observing(bounds, rescaleObservationTransform),
  reshapeObservation: observing({ shape: needed('numbers') }, reshapeTransform),
  dtypeObservation: observing({ dtype: needed('text') }, dtypeTransform),
  filterObservation: observing({ keys: needed('names') }, filterTransform),
  discretizeObservation: observing(bins, discretizeObservationTransform),
  grayscaleObservation: observing({}, grayscaleTransform),
  resizeObservation: observing({ height: needed('number'), width: needed('number') }, resizeTransform),
  frameStackObservation: observing({ numFrames: needed('number') }, frameStackTransform),
  delayObservation: observing({ delay: needed('number') }, delayTransform),
  timeAwareObservation: observing({ limit: number }, timeAwareTransform),
  maxAndSkipObservation: {
    options: { numSteps: number },
    wrap: (env, [numSteps = 4 as never]) => maxAndSkipObservation(env, numSteps),
    wrapVector: (env, [numSteps = 4 as never]) => repeatVectorActions(env, numSteps, true),
  },
  clipReward: {
    options: bounds,
    wrap: (env, values) => clipReward(env, ...values),
    wrapVector: (env, values) => clipVectorRewards(env, ...values),
  },
  timeLimit: {
    options: { maxEpisodeSteps: needed('number') },
    // A vector environment keeps the limit that it declares.
    wrap: (env, [limit]) => timeLimit(env, Math.min(limit, env.maxEpisodeSteps ?? Infinity)),
    wrapVector: (env, [limit]) => limitVectorTime(env, limit),
  },
};

/** What stands elsewhere, and where. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  normalizeObservation:
    'is the option `normalizeObservations`, whose statistics are merged over all runners and saved',
  normalizeReward: 'is the option `normalizeRewards`, whose statistics are merged over all runners and saved',
  transformObservation:
    'takes a function, which a list cannot hold: wrap the environment in a module of your own',
  transformAction: 'takes a function, which a list cannot hold: wrap the environment in a module of your own',
  transformReward: 'takes a function, which a list cannot hold: wrap the environment in a module of your own',
  seededMathRandom: 'goes around your code alone: wrap the environment in your module',
  recordEpisodeStatistics: 'is what training does anyway',
  recordVideo: 'is the option `evaluationFilms`',
  orderEnforcing: 'is what training does anyway',
  passiveEnvChecker: 'is what training does anyway, and `operant check`',
  autoreset: 'is what training does anyway',
};

/**
 * Checks a list.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` for a name that is none, naming the nearest, and for an option that is missing, too much, or of another type.
 */
export function checkWrappers(list: readonly JsonValue[]): readonly WrapperEntry[] {
  for (const [k, entry] of list.entries()) {
    const where = `wrappers[${k}]`;
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry) || !('name' in entry))
      throw wrapperError(`Expected ${where} to be { name, ...options }, got ${JSON.stringify(entry)}.`);
    const { name, ...given } = entry as JsonObject;
    checkOptions(`${where}, ${name},`, findWrapper(where, name ?? null).options, given);
  }
  return list as readonly WrapperEntry[];
}

/** The environment inside all of a list that {@link checkWrappers} has checked, the first one innermost. */
export function wrapListed(env: Env, list: readonly WrapperEntry[]): Env {
  return list.reduce((inner, entry) => WRAPPERS[entry.name].wrap(inner, valuesOf(entry)), env);
}

/** The same around a vector environment, whose autoreset is `same-step`. */
export function wrapListedVector(env: VectorEnv, list: readonly WrapperEntry[]): VectorEnv {
  return list.reduce((inner, entry) => WRAPPERS[entry.name].wrapVector(inner, valuesOf(entry)), env);
}

function valuesOf({ name, ...given }: WrapperEntry): Values {
  return Object.keys(WRAPPERS[name].options).map((option) => given[option]) as unknown as Values;
}

function findWrapper(where: string, name: JsonValue): ListedWrapper {
  const found = typeof name === 'string' && Object.hasOwn(WRAPPERS, name) ? WRAPPERS[name] : undefined;
  if (found !== undefined) return found;
  if (typeof name === 'string' && Object.hasOwn(ELSEWHERE, name))
    throw wrapperError(`${where}: ${name} ${ELSEWHERE[name]}.`);
  const wanted = String(name).toLowerCase();
  const near = Object.keys(WRAPPERS).filter((known) => {
    const other = known.toLowerCase();
    return wanted.length > 3 && (other.includes(wanted) || wanted.includes(other));
  });
  throw wrapperError(
    `${where}: no wrapper has the name ${JSON.stringify(name)}.${near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ''} There are: ${Object.keys(WRAPPERS).join(', ')}.`,
  );
}

function checkOptions(where: string, options: ListedOptions, given: JsonObject): void {
  const names = Object.keys(options);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(options, name))
      throw wrapperError(
        `${where} has no option \`${name}\`. It has: ${names.length > 0 ? names.join(', ') : 'none'}.`,
      );
    if (!isOfType(value, options[name].type))
      throw wrapperError(
        `Expected \`${name}\` of ${where} to be a ${options[name].type}, got ${JSON.stringify(value)}.`,
      );
  }
  const missing = names.find((name) => options[name].isRequired && given[name] === undefined);
  if (missing !== undefined)
    throw wrapperError(`${where} needs the option \`${missing}\` (${options[missing].type}).`);
}

function isOfType(value: JsonValue | undefined, type: OptionType): boolean {
  const isNumber = (x: unknown) => typeof x === 'number' && Number.isFinite(x);
  const isList = (each: (x: unknown) => boolean) => Array.isArray(value) && value.every(each);
  switch (type) {
    case 'number':
      return isNumber(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'text':
      return typeof value === 'string';
    case 'numbers':
      return isList(isNumber);
    case 'number or numbers':
      return isNumber(value) || isList(isNumber);
    case 'names':
      return isList((x) => typeof x === 'string' || isNumber(x));
  }
}

function wrapperError(message: string): ConfigError {
  return new ConfigError('CONFIG_WRAPPER', message);
}
