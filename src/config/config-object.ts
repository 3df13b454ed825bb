/** A whole configuration as one object: what a config file, a builder's JSON and a run folder's `config.json` hold. */
import { ConfigError } from '../errors.ts';
import { showValue } from './problems.ts';
import { isPlainObject } from './value-kind.ts';

export interface ConfigObject {
  /** The algorithm that it names, if it does. */
  readonly algorithm: string | undefined;
  /** `tuned: true`: it starts from the defaults tuned for its environment. */
  readonly isTuned: boolean;
  /** Options by section, unchecked. */
  readonly sections: Readonly<Record<string, unknown>>;
}

/**
 * Takes the sections apart from what stands beside them: `algorithm`, `tuned`, and what a run folder keeps, `history` and `initializedFrom`.
 *
 * @param name of the file, for messages.
 * @throws ConfigError `CONFIG_FILE` when it is no object, or one of these is of a wrong type.
 */
export function readConfigObject(content: unknown, name: string): ConfigObject {
  if (!isPlainObject(content)) throw wrong(name, 'hold an object of sections', content);
  const {
    algorithm,
    tuned = false,
    history: _history,
    initializedFrom: _initializedFrom,
    ...sections
  } = content;
  if (algorithm !== undefined && typeof algorithm !== 'string')
    throw wrong(`\`algorithm\` of ${name}`, "be a name such as 'ppo'", algorithm);
  if (typeof tuned !== 'boolean') throw wrong(`\`tuned\` of ${name}`, 'be true or false', tuned);
  return { algorithm, isTuned: tuned, sections };
}

function wrong(what: string, expected: string, value: unknown): ConfigError {
  return new ConfigError('CONFIG_FILE', `Expected ${what} to ${expected}, got ${showValue(value)}.`);
}
