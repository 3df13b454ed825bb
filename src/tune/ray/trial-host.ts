/**
 * The process of a trial's host, which its actor owns: `node trial-host.ts FD_IN FD_OUT [FD_SHARED]`, in the folder that was shipped. It runs one training
 * after the other, each a process of `operant train` in a folder of its own, and hands the run folder on.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Frame } from '../../cluster/frames.ts';
import { decodeMessage } from '../../cluster/host-messages.ts';
import { openHostWires } from '../../cluster/host-wires.ts';
import { toErrorMessage } from '../../rollout/error-message.ts';
import { type TrainEnd, trainFolder } from '../train-process.ts';
import { type FileStamps, readLatest, readParcel, stampsOf, writeParcel } from './run-parcel.ts';
import type { TrialPlan, TrialReply, TrialRequest } from './trial-messages.ts';

/** Checkpoints in between are not sent: what a lost host costs is at least so much. */
const SYNC_MS = 2_000;

interface Training {
  readonly folder: string;
  readonly run: string;
  readonly stop: AbortController;
  readonly ended: Promise<TrainEnd>;
  /** What the driver has. */
  known: FileStamps;
  latest: string | null;
}

interface Answer {
  readonly message: TrialReply;
  readonly body?: readonly Uint8Array[];
}

const HOME = process.cwd();
let training: Training | null = null;
let isStopped = false;

async function begin(plan: TrialPlan, body: Buffer): Promise<Training> {
  const folder = mkdtempSync(join(tmpdir(), 'operant-trial-'));
  const [run, config] = [join(folder, 'run'), join(folder, 'config.json')];
  if (plan.config !== null) await writeFile(config, plan.config);
  if (plan.files.length > 0) await writeParcel(run, plan, body);
  const place = resolve(HOME, plan.cwd);
  mkdirSync(place, { recursive: true }); // without files of the project none was sent
  process.chdir(place);
  const stop = new AbortController();
  if (isStopped) stop.abort(); // notices do not wait for requests
  const locate = (args: TrialPlan['begin']) => args.map((argument) => argument ?? config);
  const known = await stampsOf(run);
  const latest = await readLatest(run);
  const ended = trainFolder({
    folder: run,
    begin: locate(plan.begin),
    resume: locate(plan.resume),
    silenceSeconds: plan.silenceSeconds,
    signal: stop.signal,
  });
  return { folder, run, stop, ended, known, latest };
}

/** Waits for a new checkpoint or the end. */
async function next(current: Training): Promise<Answer> {
  for (;;) {
    const end = await Promise.race([current.ended, sleep(SYNC_MS, null)]);
    const latest = await readLatest(current.run);
    if (end === null && latest === current.latest) continue;
    const read = await readParcel(current.run, current.known);
    if (read === null) continue;
    current.known = read.stamps;
    current.latest = latest;
    const { parcel, body } = read;
    if (end === null) return { message: { kind: 'checkpoint', parcel }, body: [body] };
    forget();
    return { message: { kind: 'ended', end, parcel }, body: [body] };
  }
}

function forget(): void {
  if (training !== null) rmSync(training.folder, { recursive: true, force: true });
  training = null;
}

async function obey(frame: Frame): Promise<Answer> {
  const { message, body } = decodeMessage<TrialRequest>(frame.payload);
  if (message.kind === 'train') training = await begin(message.plan, body);
  if (training === null) throw new TypeError('A host was asked for a checkpoint before it had a training.');
  return next(training);
}

const wires = openHostWires({
  onNotice: () => {
    isStopped = true;
    training?.stop.abort();
  },
  onRequest: (frame) => {
    void obey(frame)
      .catch((error: unknown): Answer => ({ message: { kind: 'failed', error: toErrorMessage(error) } }))
      .then(({ message, body }) => wires.reply(frame, message, body));
  },
  // the training's own output ends with us, and it with that
  onClose: forget,
});
