/** The rollout worker's entry: one long-lived Piscina task that obeys control words until STOP. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { importEnv } from '../env/load-env.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { createSimdHelper, type SimdHelper } from '../learner/simd/participate.ts';
import { noteChildProcesses } from '../machine/child-processes.ts';
import { prepareImport } from '../modules/import-module.ts';
import { type AgentsRunner, createAgentsRunner } from './agents/agents-runner.ts';
import {
  awaitCommand,
  Command,
  openControlWords,
  reportDone,
  Word,
  waitForCommand,
} from './control-words.ts';
import { toErrorMessage } from './error-message.ts';
import type { ProcessMessage, WorkerAssignment, WorkerMessage, WorkerTask } from './messages.ts';
import { placeEnvError } from './place-env-error.ts';
import type { PlayRequest } from './play-episodes.ts';
import { createRunner, type Runner } from './runner.ts';
import type { Sampler } from './sampler.ts';

export async function runWorker(task: WorkerTask): Promise<void> {
  const processes = noteChildProcesses();
  const tellProcesses = () => {
    const changes = processes.takeChanges();
    if (changes !== null) task.port.postMessage({ kind: 'processes', ...changes } satisfies ProcessMessage);
  };
  process.on('exit', tellProcesses);
  try {
    const assignment = task.assignment ?? (await standBy(task));
    if (assignment === null) task.port.close();
    else await work(task, assignment, tellProcesses);
  } finally {
    // the thread may serve another run
    process.off('exit', tellProcesses);
    processes.end();
  }
}

/** Everything that takes long, done beforehand; then blocks. null = it was never needed. */
async function standBy({ plan, port }: WorkerTask): Promise<WorkerAssignment | null> {
  const words = openControlWords(plan.memory.buffer, plan.control, plan.control.numWorkers);
  await importEnv(plan.source).catch(() => undefined); // who needs it will say what is wrong with it
  const sequence = waitForCommand(words, 0);
  const isAssigned = Atomics.load(words, Word.COMMAND) === Command.ASSIGN;
  reportDone(words, sequence);
  return isAssigned ? (receiveMessageOnPort(port)?.message as WorkerAssignment) : null;
}

async function work(
  { plan, port }: WorkerTask,
  assignment: WorkerAssignment,
  tellProcesses: () => void,
): Promise<void> {
  const { workerIndex, firstRow } = assignment;
  const words = openControlWords(plan.memory.buffer, plan.control, workerIndex);
  const post = (message: WorkerMessage) => port.postMessage(message);
  let runner: WorkerRunner | undefined;
  try {
    const arena = { memory: plan.memory, buffer: plan.memory.buffer };
    const onStep = () => void Atomics.add(words, Word.PROGRESS, 1);
    runner =
      'agents' in plan
        ? await createAgentsRunner({ ...assignment, ...plan, arena, onStep })
        : await createRunner({ ...assignment, ...plan, arena, onStep });
    tellProcesses(); // before it is ready: then everything is told of that a lost worker leaves
    if (plan.helper !== null) await prepareImport(plan.helper.options.outputGradient.module);
    const helper = plan.helper === null ? null : await createSimdHelper(plan.helper, plan.kernels, arena);
    const first = Atomics.load(words, Word.SEQUENCE);
    post({ kind: 'ready', restarted: runner.restarted });
    Atomics.store(words, Word.READY, 1);
    Atomics.notify(words, Word.READY);
    await obey(words, first, { workerIndex, port, tellProcesses }, runner, helper, post);
  } catch (error) {
    tellProcesses();
    const firstEnv = firstRow + ('sampling' in plan ? plan.sampling.firstEnv : 0);
    post({ kind: 'failed', error: toErrorMessage(placeEnvError(error, plan.source, firstEnv)) });
    Atomics.store(words, Word.FAILED, 1);
    Atomics.notify(words, Word.READY);
    Atomics.notify(words, Word.DONE);
  } finally {
    runner?.close();
    port.close();
  }
}

/** One of several agents is never asked to BEGIN, STEP or FINISH, which are central inference's. */
type WorkerRunner = Runner | AgentsRunner;

interface WorkerPlace {
  readonly workerIndex: number;
  readonly port: MessagePort;
  readonly tellProcesses: () => void;
}

async function obey(
  words: Int32Array<SharedArrayBuffer>,
  first: number,
  { workerIndex, port, tellProcesses }: WorkerPlace,
  runner: WorkerRunner,
  helper: SimdHelper | null,
  post: (message: WorkerMessage) => void,
): Promise<void> {
  const { sampler } = runner;
  const paced = 'paced' in sampler ? sampler.paced : null;
  let seen = first;
  for (;;) {
    seen = paced === null ? waitForCommand(words, seen) : await awaitCommand(words, seen);
    const argument0 = Atomics.load(words, Word.ARGUMENT_0);
    const argument1 = Atomics.load(words, Word.ARGUMENT_1);
    let isPosted = false;
    const reply = (message: WorkerMessage) => {
      post(message);
      isPosted = true;
    };
    const command = Atomics.load(words, Word.COMMAND);
    switch (command) {
      case Command.COLLECT:
        await (paced ?? sampler).collect(argument0, argument1);
        break;
      case Command.BEGIN:
        (sampler as Sampler).begin(argument0);
        break;
      case Command.STEP:
        await (paced ?? (sampler as Sampler)).step(argument0, argument1);
        break;
      case Command.FINISH:
        (sampler as Sampler).finish(argument0, argument1);
        break;
      case Command.LEARN:
        helper?.participate(workerIndex + 1);
        break;
      case Command.GET_STATE:
        reply({ kind: 'states', states: runner.envStates() as JsonValue[] });
        break;
      case Command.PLAY: {
        const request = receiveMessageOnPort(port)?.message as PlayRequest;
        const isCut = () => Atomics.load(words, Word.CUT) === 1;
        reply({ kind: 'played', played: await runner.player.play(request, isCut, false) });
        break;
      }
      case Command.SET_OPTIONS:
        runner.setEnvOptions(receiveMessageOnPort(port)?.message as JsonObject);
        break;
      case Command.STOP:
        reportDone(words, seen);
        return;
    }
    const isRolloutOver = command === Command.COLLECT || command === Command.FINISH;
    const sums = isRolloutOver ? sampler.takeMetrics() : null;
    const faults = isRolloutOver && 'takeEnvFaults' in runner ? runner.takeEnvFaults() : null;
    if (sums !== null || faults !== null) reply({ kind: 'collected', sums: sums ?? {}, faults });
    tellProcesses();
    Atomics.store(words, Word.POSTED, isPosted ? 1 : 0);
    reportDone(words, seen);
  }
}
