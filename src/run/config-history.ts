/** `config.json` of a run folder: the configuration as it is now, and what resumes changed of it. */
import { join } from 'node:path';
import type { WarmStartReport } from '../checkpoint/warm-start.ts';
import { optionChanges, valueIn } from '../config/resume-rules.ts';
import { replaceTextFile } from '../files/durable-files.ts';
import { readRegularText } from '../files/regular-file.ts';
import type { JsonObject, JsonValue } from '../json.ts';

const MAX_BYTES = 16 * 2 ** 20;

/**
 * Brings `config.json` up to date when a run goes on: the configuration that is in effect, and under `history` what was changed at which
 * iteration, `{ iteration, changes: [{ option, from, to }] }`. Changes of iterations that the run goes back behind are dropped, as the logs' rows are.
 *
 * @param saved the config of the checkpoint from which the run goes on; undefined = it has none.
 */
export async function recordResume(
  folder: string,
  iteration: number,
  saved: JsonObject | undefined,
  config: JsonObject,
): Promise<void> {
  const path = join(folder, 'config.json');
  const file = await readConfig(folder);
  const before = Array.isArray(file.history) ? file.history : [];
  const kept = before.filter((entry) => Number((entry as JsonObject | null)?.iteration) < iteration);
  const here = withOut(config, valueIn(file, 'checkpointing', 'out') ?? null);
  const changes = optionChanges(saved ?? {}, config).filter(({ option }) => option !== 'checkpointing.out');
  const history =
    changes.length === 0 ? kept : [...kept, { iteration, changes: changes.map((change) => ({ ...change })) }];
  const next = {
    ...here,
    ...(file.initializedFrom === undefined ? {} : { initializedFrom: file.initializedFrom }),
    ...(history.length === 0 ? {} : { history }),
  };
  const text = `${JSON.stringify(next, null, 2)}\n`;
  if (text !== `${JSON.stringify(file, null, 2)}\n`) await replaceTextFile(path, text);
}

/** Adds to `config.json` what a run began with, under `initializedFrom`: `{ checkpoint, taken, left: [{ name, why }] }`. */
export async function recordInitialization(folder: string, report: WarmStartReport): Promise<void> {
  const next = { ...(await readConfig(folder)), initializedFrom: report };
  await replaceTextFile(join(folder, 'config.json'), `${JSON.stringify(next, null, 2)}\n`);
}

/** A resume does not name the folder that it goes on in. */
function withOut(config: JsonObject, out: JsonValue): JsonObject {
  return { ...config, checkpointing: { ...(config.checkpointing as JsonObject), out } };
}

/** What cannot be read is written anew. */
async function readConfig(folder: string): Promise<JsonObject> {
  try {
    const value: unknown = JSON.parse(await readRegularText(folder, 'config.json', MAX_BYTES));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
  } catch {
    return {};
  }
}
