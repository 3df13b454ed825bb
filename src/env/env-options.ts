/** Checked options for environments: one record of defaults says what there is and of which type. */
import { ConfigError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';

type Widen<T> = T extends number ? number : T extends boolean ? boolean : T extends string ? string : T;

/** What {@link readEnvOptions} gives: the defaults' keys, numbers and strings no longer literal. */
export type EnvOptions<T> = { readonly [K in keyof T]: Widen<T[K]> };

/**
 * Lays `given` over `defaults`. A key that is not among the defaults, or a value of another type, is an error;
 * `maxEpisodeSteps` may also be null (no limit), and a default of null takes anything.
 *
 * @throws {@link ConfigError} `CONFIG_ENV_OPTION`.
 */
export function readEnvOptions<const T extends JsonObject>(
  envId: string,
  given: JsonObject | undefined,
  defaults: T,
): EnvOptions<T> {
  const merged: Record<string, JsonValue> = { ...(defaults as Record<string, JsonValue>) };
  for (const [name, value] of Object.entries(given ?? {})) {
    if (!(name in defaults)) {
      throw new ConfigError(
        'CONFIG_ENV_OPTION',
        `Unknown option \`${name}\` of ${envId}. It has: ${Object.keys(defaults).join(', ')}.`,
      );
    }
    if (value === undefined) continue;
    const isLimit = name === 'maxEpisodeSteps';
    const expected = isLimit ? 'number' : typeOf(defaults[name] ?? null);
    const actual = typeOf(value);
    if (actual !== expected && expected !== 'null' && !(isLimit && value === null)) {
      throw new ConfigError(
        'CONFIG_ENV_OPTION',
        `Expected option \`${name}\` of ${envId} to be of type ${expected}, got ${JSON.stringify(value)} (${actual}).`,
      );
    }
    merged[name] = value;
  }
  return merged as EnvOptions<T>;
}

function typeOf(value: JsonValue): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/**
 * Checks that a number option lies in [low, high].
 *
 * @throws {@link ConfigError} `CONFIG_ENV_OPTION`.
 */
export function checkRange(envId: string, name: string, value: number, low: number, high: number): void {
  if (value >= low && value <= high) return;
  throw new ConfigError(
    'CONFIG_ENV_OPTION',
    `Expected option \`${name}\` of ${envId} in [${low}, ${high}], got ${value}.`,
  );
}

/**
 * Checks that a number option is an integer in [low, high].
 *
 * @throws {@link ConfigError} `CONFIG_ENV_OPTION`.
 */
export function checkInteger(envId: string, name: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new ConfigError(
    'CONFIG_ENV_OPTION',
    `Expected option \`${name}\` of ${envId} to be an integer in [${low}, ${high}], got ${value}.`,
  );
}

/**
 * Checks that a string option is one of those that exist.
 *
 * @throws {@link ConfigError} `CONFIG_ENV_OPTION`.
 */
export function checkChoice(envId: string, name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new ConfigError(
    'CONFIG_ENV_OPTION',
    `Expected option \`${name}\` of ${envId} to be one of ${choices.join(', ')}, got \`${value}\`.`,
  );
}
