/** Trains through the command line, kills it at random moments, resumes, and compares with an undisturbed run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrainResult } from '../../src/algorithm/algorithm.ts';
import type { CheckpointContent } from '../../src/checkpoint/content.ts';
import { hashJson } from '../../src/checkpoint/exact-json.ts';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { encodeSafetensors } from '../../src/checkpoint/safetensors.ts';
import type { Algorithm, JsonObject } from '../../src/index.ts';
import { openStream } from '../../src/random/streams.ts';
import { SOURCES, type Subject } from './subject.ts';

const NUM_ENVS = 4;
const ROLLOUT_LENGTH = 32;
/** Small iterations, so that most of the time is spent saving; with a replay buffer that is full, and drops segments, after 16 of them. */
const TASKS = {
  ppo: {
    flags: `--num-envs ${NUM_ENVS} --rollout-length ${ROLLOUT_LENGTH} --num-epochs 1 --minibatch-size 64 --num-env-runners 2`,
    build: ({ PPOConfig }: Subject) =>
      new PPOConfig()
        .environment('CartPole-v1')
        .envRunners({ numEnvRunners: 0, numEnvs: NUM_ENVS, rolloutLength: ROLLOUT_LENGTH })
        .training({ numEpochs: 1, minibatchSize: 64 })
        .debugging({ seed: 5 })
        .build(),
  },
  dqn: {
    flags: `--algo dqn --num-envs ${NUM_ENVS} --steps-per-iteration 64 --learning-starts 64 --batch-size 16 --replay-capacity 1000 --hidden-sizes 16 --num-env-runners 1`,
    build: ({ DQNConfig }: Subject) =>
      new DQNConfig()
        .environment('CartPole-v1')
        .envRunners({ numEnvRunners: 0, numEnvs: NUM_ENVS })
        .training({
          ...{ stepsPerIteration: 64, learningStarts: 64, batchSize: 16 },
          ...{ replayCapacity: 1000, hiddenSizes: [16] },
        })
        .debugging({ seed: 5 })
        .build(),
  },
  lstm: {
    flags: `--env CartPoleNoVelocity-v0 --recurrent lstm --recurrent-size 16 --hidden-sizes 16 --sequence-length 16 --num-envs ${NUM_ENVS} --rollout-length ${ROLLOUT_LENGTH} --num-epochs 1 --minibatch-size 64 --num-env-runners 2`,
    build: ({ PPOConfig }: Subject) =>
      new PPOConfig()
        .environment('CartPoleNoVelocity-v0')
        .envRunners({ numEnvRunners: 0, numEnvs: NUM_ENVS, rolloutLength: ROLLOUT_LENGTH })
        .training({
          ...{ numEpochs: 1, minibatchSize: 64, hiddenSizes: [16] },
          ...{ recurrent: 'lstm', recurrentSize: 16, sequenceLength: 16 },
        })
        .debugging({ seed: 5 })
        .build(),
  },
  league: {
    flags: `--env TicTacToe --self-play prioritized --snapshot-interval 2 --max-snapshots 4 --num-opponents 2 --anchor-fraction 0.2 --gamma 1 --hidden-sizes 16 --num-envs ${NUM_ENVS} --rollout-length ${ROLLOUT_LENGTH} --num-epochs 1 --minibatch-size 64 --num-env-runners 2`,
    build: ({ PPOConfig }: Subject) =>
      new PPOConfig()
        .environment('TicTacToe-v0')
        .envRunners({ numEnvRunners: 0, numEnvs: NUM_ENVS, rolloutLength: ROLLOUT_LENGTH })
        .training({ numEpochs: 1, minibatchSize: 64, hiddenSizes: [16], gamma: 1 })
        .selfPlay({
          ...{ selfPlay: 'prioritized', snapshotInterval: 2, maxSnapshots: 4 },
          ...{ numOpponents: 2, anchorFraction: 0.2 },
        })
        .debugging({ seed: 5 })
        .build(),
  },
  exploiters: {
    flags: `--env TicTacToe --self-play prioritized --snapshot-interval 2 --max-snapshots 4 --num-opponents 2 --main-exploiters 1 --league-exploiters 1 --exploiter-fraction 0.5 --exploiter-timeout 3 --gamma 1 --hidden-sizes 16 --num-envs ${NUM_ENVS} --rollout-length ${ROLLOUT_LENGTH} --num-epochs 1 --minibatch-size 64 --num-env-runners 2`,
    build: ({ PPOConfig }: Subject) =>
      new PPOConfig()
        .environment('TicTacToe-v0')
        .envRunners({ numEnvRunners: 0, numEnvs: NUM_ENVS, rolloutLength: ROLLOUT_LENGTH })
        .training({ numEpochs: 1, minibatchSize: 64, hiddenSizes: [16], gamma: 1 })
        .selfPlay({
          ...{ selfPlay: 'prioritized', snapshotInterval: 2, maxSnapshots: 4, numOpponents: 2 },
          ...{ mainExploiters: 1, leagueExploiters: 1, exploiterFraction: 0.5, exploiterTimeout: 3 },
        })
        .debugging({ seed: 5 })
        .build(),
  },
} as const;
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

interface Reference {
  /** Hash of the checkpoint after an iteration. */
  hashAt(iteration: number): Promise<string>;
  rowAt(iteration: number): object;
  stop(): Promise<void>;
}

/** The undisturbed run, trained as far as it is asked for. */
async function createReference(subject: Subject, task: keyof typeof TASKS): Promise<Reference> {
  const algorithm: Algorithm = await TASKS[task].build(subject);
  const hashes = [hashOf(await algorithm.getState())];
  const rows: object[] = [{}];
  return {
    async hashAt(iteration) {
      while (hashes.length <= iteration) {
        rows.push(untimed({ ...(await algorithm.train()) }));
        hashes.push(hashOf(await algorithm.getState()));
      }
      return hashes[iteration];
    },
    rowAt: (iteration) => rows[iteration],
    stop: () => algorithm.stop(),
  };
}

/** Everything that the run is, without the clock and the options that only say how to run. */
function hashOf({ tensors, json, segments = {} }: CheckpointContent): string {
  const { 'run.json': _run, 'config.json': _config, ...state } = json;
  const bytes = Object.entries(tensors).map(([path, named]) => [
    path,
    Buffer.concat(encodeSafetensors(named)).toString('base64'),
  ]);
  // Segments of a replay buffer are named by their content.
  const names = Object.keys(segments).sort();
  return hashJson({ ...state, names, tensors: Object.fromEntries(bytes) } as JsonObject);
}

function untimed({
  iteration,
  numEnvSteps,
  numEpisodes,
  metrics,
}: Pick<TrainResult, 'iteration' | 'numEnvSteps' | 'numEpisodes' | 'metrics'>): object {
  const kept = Object.entries(metrics).filter(([key]) => !key.startsWith('time/'));
  return { iteration, numEnvSteps, numEpisodes, ...Object.fromEntries(kept) };
}

interface Trainer {
  readonly child: ChildProcess;
  /** The highest iteration it has reported; 0 before the first. */
  readonly reported: number;
  reports(iteration: number): Promise<void>;
  readonly ended: Promise<number | null>;
}

function startTrainer({ train }: Subject, args: readonly string[]): Trainer {
  const child = spawn(process.execPath, [...train, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr?.on('data', (text) => {
    errors += text;
  });
  let reported = 0;
  let wake = () => {};
  createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
    reported = JSON.parse(line).iteration ?? reported;
    wake();
  });
  const ended = once(child, 'exit').then(([status]) => {
    wake();
    return status;
  });
  return {
    child,
    get reported() {
      return reported;
    },
    async reports(iteration) {
      while (reported < iteration) {
        if (child.exitCode !== null)
          throw new Error(`training ended with status ${child.exitCode}: ${errors}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    ended,
  };
}

export interface KillOptions {
  readonly subject?: Subject;
  /** SIGSEGV and SIGABRT are what a crash in native code ends a process with. Default SIGKILL. */
  readonly signal?: NodeJS.Signals;
  /** `dqn` has a replay buffer in its checkpoints, `lstm` what a policy remembers of running episodes, `league` past versions, ratings
   * and whom running episodes are played against, `exploiters` besides who learns to beat them and is begun anew. Default ppo. */
  readonly task?: keyof typeof TASKS;
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
    const from = isFirst
      ? [
          '--env',
          'CartPole-v1',
          '--no-tuned',
          '--seed',
          '5',
          ...TASKS[task].flags.split(' '),
          '--out',
          folder,
        ]
      : ['--resume', folder];
    const trainer = startTrainer(subject, [...from, ...OUTPUT]);
    if (!isFirst && kill % 3 === 0) {
      await Promise.race([sleep(moments.uniform() * 1500), trainer.ended]);
    } else {
      // Iteration n is reported while n - 1 is being saved: three more, so that one of them is surely on the disk.
      await trainer.reports(last + 3 + moments.integer(3));
      await sleep(moments.uniform() * 80);
    }
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
  const status = await startTrainer(subject, [
    '--resume',
    folder,
    ...OUTPUT,
    '--stop-iterations',
    String(numIterations),
  ]).ended;
  if (status !== 0) problems.push(`the last process ended with status ${status}`);
  await reference.hashAt(numIterations);
  problems.push(...(await checkEnd(folder, numIterations, reference)));
  await reference.stop();
  return {
    numKills,
    numExact,
    numInsideSave,
    numDuringStart,
    numIterationsRepeated,
    numIterations,
    problems,
  };
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
