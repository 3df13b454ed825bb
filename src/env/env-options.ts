/** Checked options for environments: one record of defaults says what there is and of which type. */
import { ConfigError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';

type Widen<T> = T extends number ? number : T extends boolean ? boolean : T extends string ? string : T;

/** What {@link readEnvOptions} gives: the defaults' keys, numbers and strings no longer literal. */
export type EnvOptions<T> = { readonly [K in keyof T]: Widen<T[K]> };

/**
 * Lays `given` over `defaults`. A key that is not among the defaults, or a value of another type, is an error;
 * `maxEpisodeSteps` may also be null (no limit).
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
    const expected = Array.isArray(defaults[name]) ? 'array' : typeof defaults[name];
    const isNoLimit = name === 'maxEpisodeSteps' && value === null;
    const actual = Array.isArray(value) ? 'array' : typeof value;
    if (!isNoLimit && actual !== expected && defaults[name] !== null) {
      throw new ConfigError(
        'CONFIG_ENV_OPTION',
        `Expected option \`${name}\` of ${envId} to be of type ${expected}, got ${JSON.stringify(value)} (${actual}).`,
      );
    }
    merged[name] = value;
  }
  return merged as EnvOptions<T>;
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
