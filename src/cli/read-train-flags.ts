/** Flags of `train`: one that only other algorithms have is refused with their names. */
import { algorithms } from '../../algorithms/registry.ts';
import { flagName, listOptions } from '../config/option.ts';
import type { AlgorithmDefinition } from '../define/define-algorithm.ts';
import { isOperantError } from '../errors.ts';
import { type FlagSpec, type FlagValues, parseFlags } from './flags.ts';

/** @throws ConfigError as {@link parseFlags}; other algorithms are loaded only then. */
export async function readTrainFlags(
  argv: readonly string[],
  { name }: AlgorithmDefinition,
  specs: readonly FlagSpec[],
): Promise<FlagValues> {
  try {
    return parseFlags(argv, specs);
  } catch (error) {
    if (!isOperantError(error)) throw error;
    return parseFlags(argv, specs, await flagsElsewhere(name));
  }
}

/** Names of the algorithms that have a flag, by the flag. */
async function flagsElsewhere(own: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for (const [name, find] of Object.entries(algorithms)) {
    if (name === own) continue;
    for (const option of listOptions((await find()).options)) {
      const flag = flagName(option.name);
      found.set(flag, [...(found.get(flag) ?? []), name]);
    }
  }
  return found;
}
