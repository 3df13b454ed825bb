/** Trains through the command line, kills it at random moments, resumes, and compares with an undisturbed run. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashJson } from '../../src/checkpoint/exact-json.ts';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import type { JsonObject } from '../../src/index.ts';
import { openStream, type Stream } from '../../src/random/streams.ts';
import { beginArguments, type TaskName } from './kill-tasks.ts';
import { SOURCES, type Subject } from './subject.ts';
import { startTrainer, type Trainer } from './trainer-process.ts';
import { createReference, hashOf, type Reference, untimed } from './undisturbed-run.ts';

const OUTPUT = '--checkpoint-every 1 --keep-checkpoints 3 --json'.split(' ');

export interface KillReport {
  readonly numKills: number;
  /** After how many of them the newest checkpoint loaded and equalled the undisturbed run at its iteration. */
  readonly numExact: number;
  /** Kills that left a half-written checkpoint beside the whole ones. */
  readonly numInsideSave: number;
  /** Kills before the resumed process had begun to train. */
  readonly numDuringStart: number;
  /** Iterations that had been reported and were trained again, in all. */
  readonly numIterationsRepeated: number;
  readonly numIterations: number;
  readonly problems: readonly string[];
}

export interface KillOptions {
  readonly subject?: Subject;
  /** SIGSEGV and SIGABRT are what a crash in native code ends a process with. Default SIGKILL. */
  readonly signal?: NodeJS.Signals;
  /** `dqn` has a replay buffer in its checkpoints, `lstm` what a policy remembers of running episodes, `league` past versions, ratings
   * and whom running episodes are played against, `exploiters` besides who learns to beat them and is begun anew. Default ppo. */
  readonly task?: TaskName;
}

const NOTHING: KillReport = {
  ...{ numKills: 0, numExact: 0, numInsideSave: 0, numDuringStart: 0 },
  ...{ numIterations: 0, numIterationsRepeated: 0, problems: [] },
};

/**
 * Kills training `numKills` times. Most kills come up to 80 ms after some new iterations, when it is saving or training; every
 * third comes within the first seconds of a resumed process, whatever it is doing.
 *
 * @param folder a run folder that does not exist yet.
 */
export async function killAndResume(
  folder: string,
  numKills: number,
  seed: number,
  { subject = SOURCES, signal = 'SIGKILL', task = 'ppo' }: KillOptions = {},
): Promise<KillReport> {
  if (numKills === 0) return NOTHING;
  const moments = openStream(seed, 'kills', signal);
  const reference = await createReference(subject, task);
  const problems: string[] = [];
  let [numExact, numInsideSave, numDuringStart, numIterationsRepeated, last] = [0, 0, 0, 0, 0];
  for (let kill = 1; kill <= numKills; kill++) {
    const isFirst = last === 0;
    const from = isFirst ? [...beginArguments(task), '--out', folder] : ['--resume', folder];
    const trainer = startTrainer(subject, [...from, ...OUTPUT]);
    await untilKill(trainer, last, !isFirst && kill % 3 === 0, moments);
    trainer.child.kill(signal);
    await trainer.ended;
    numDuringStart += Number(trainer.reported === 0);
    numInsideSave += Number(
      readdirSync(join(folder, 'checkpoints')).some((name) => name.startsWith('.tmp-')),
    );
    try {
      const { content, manifest } = await loadCheckpoint(folder);
      const iteration = Number(manifest.description.iteration);
      if (iteration < last)
        problems.push(`kill ${kill}: the newest checkpoint went back from ${last} to ${iteration}`);
      if (hashOf(content) === (await reference.hashAt(iteration))) numExact += 1;
      else problems.push(`kill ${kill}: checkpoint ${iteration} differs from the undisturbed run`);
      numIterationsRepeated += Math.max(0, trainer.reported - iteration);
      last = iteration;
    } catch (error) {
      problems.push(`kill ${kill}: ${error instanceof Error ? error.message : error}`);
    }
  }
  const numIterations = last + 3;
  problems.push(...(await finish(subject, folder, numIterations)));
  problems.push(...(await checkEnd(folder, numIterations, reference)));
  await reference.stop();
  const counts = { numKills, numExact, numInsideSave, numDuringStart, numIterationsRepeated, numIterations };
  return { ...counts, problems };
}

/** @param last iteration of the newest checkpoint. @param isAnyMoment of its first seconds, whatever it is doing then. */
async function untilKill(
  trainer: Trainer,
  last: number,
  isAnyMoment: boolean,
  moments: Stream,
): Promise<void> {
  if (isAnyMoment) {
    await Promise.race([sleep(moments.uniform() * 1500), trainer.ended]);
    return;
  }
  // Iteration n is reported while n - 1 is being saved: three more, so that one of them is surely on the disk.
  await trainer.reports(last + 3 + moments.integer(3));
  await sleep(moments.uniform() * 80);
}

/** A last process, which nobody kills. */
async function finish(subject: Subject, folder: string, numIterations: number): Promise<string[]> {
  const stop = ['--stop-iterations', String(numIterations)];
  const status = await startTrainer(subject, ['--resume', folder, ...OUTPUT, ...stop]).ended;
  return status === 0 ? [] : [`the last process ended with status ${status}`];
}

/** The finished run's checkpoint, its log and its folder. */
async function checkEnd(folder: string, numIterations: number, reference: Reference): Promise<string[]> {
  const problems: string[] = [];
  const { content } = await loadCheckpoint(folder);
  if (hashOf(content) !== (await reference.hashAt(numIterations)))
    problems.push('the finished run differs from the undisturbed one');
  const lines = readFileSync(join(folder, 'progress.jsonl'), 'utf8').split('\n').slice(0, -1);
  if (lines.length !== numIterations)
    problems.push(`the log has ${lines.length} rows, expected ${numIterations}`);
  for (const [k, line] of lines.entries()) {
    const {
      iteration,
      numEnvSteps,
      numEpisodes,
      seconds: _seconds,
      timestamp: _timestamp,
      ...metrics
    } = JSON.parse(line);
    const row = untimed({ iteration, numEnvSteps, numEpisodes, metrics });
    if (hashJson(row as JsonObject) !== hashJson(reference.rowAt(k + 1) as JsonObject))
      problems.push(`row ${k + 1} of the log differs`);
  }
  const leftovers = readdirSync(join(folder, 'checkpoints')).filter((name) => !/^\d+$/.test(name));
  if (leftovers.length > 0) problems.push(`left behind: ${leftovers.join(', ')}`);
  return problems;
}
