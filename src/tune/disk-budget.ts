/** Holds a whole study to so many bytes. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sizeOf } from '../run/list-runs.ts';
import { rank } from './searchers/tpe.ts';
import { bestTrial, type Trial } from './trial.ts';
import { allSeedFolders } from './trial-folder.ts';

/** What a resume needs of a run, and nothing else does: the pointers go first, so that none names what is gone. */
const CHECKPOINTS = ['latest', 'best', 'checkpoints', 'segments'];

/**
 * Where the study takes more, removes the checkpoints of trials that have ended, worst first, until it does not; configs and logs stay, and so
 * does all of the best trial. Should a trial whose checkpoints are gone have to go on after all (a study that is continued with more trials),
 * it begins anew, and comes to the same.
 *
 * @returns bytes that the study takes then: more than the budget where only what is needed is left.
 */
export async function freeDisk(study: string, trials: readonly Trial[], maxBytes: number): Promise<number> {
  let numBytes = await sizeOf(study);
  const best = bestTrial(trials)?.number;
  const ended = rank(trials).filter(({ state }) => state !== 'running' && state !== 'waiting');
  for (const trial of ended.toReversed()) {
    if (numBytes <= maxBytes) break;
    if (trial.number === best) continue;
    const folders = await allSeedFolders(study, trial.number);
    const paths = folders
      .flatMap((folder) => CHECKPOINTS.map((name) => join(folder, name)))
      .filter(existsSync);
    if (paths.length === 0) continue;
    for (const path of paths) await rm(path, { recursive: true, force: true });
    numBytes = await sizeOf(study);
  }
  return numBytes;
}
