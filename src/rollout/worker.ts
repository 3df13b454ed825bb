/** The rollout worker's entry: one long-lived Piscina task that obeys control words until STOP. */
import { receiveMessageOnPort } from 'node:worker_threads';
import type { JsonValue } from '../json.ts';
import { createSimdHelper, type SimdHelper } from '../learner/simd/participate.ts';
import { Command, openControlWords, reportDone, Word, waitForCommand } from './control-words.ts';
import { toErrorMessage } from './error-message.ts';
import type { WorkerMessage, WorkerTask } from './messages.ts';
import type { PlayRequest } from './play-episodes.ts';
import { createRunner, placeEnvError, type Runner } from './runner.ts';

export async function runWorker(task: WorkerTask): Promise<void> {
  const { plan, workerIndex, port } = task;
  const words = openControlWords(plan.memory.buffer, plan.control, workerIndex);
  const post = (message: WorkerMessage) => port.postMessage(message);
  let runner: Runner | undefined;
  try {
    const arena = { memory: plan.memory, buffer: plan.memory.buffer };
    const onStep = () => void Atomics.add(words, Word.PROGRESS, 1);
    runner = await createRunner({ ...task, ...plan, arena, onStep });
    const helper = plan.helper === null ? null : await createSimdHelper(plan.helper, plan.kernels, arena);
    const first = Atomics.load(words, Word.SEQUENCE);
    post({ kind: 'ready', restarted: runner.restarted });
    Atomics.store(words, Word.READY, 1);
    Atomics.notify(words, Word.READY);
    await obey(words, first, task, runner, helper, post);
  } catch (error) {
    post({ kind: 'failed', error: toErrorMessage(placeEnvError(error, plan.source, task.firstRow)) });
    Atomics.store(words, Word.FAILED, 1);
    Atomics.notify(words, Word.READY);
    Atomics.notify(words, Word.DONE);
  } finally {
    runner?.close();
    port.close();
  }
}

async function obey(
  words: Int32Array<SharedArrayBuffer>,
  first: number,
  { workerIndex, port }: WorkerTask,
  runner: Runner,
  helper: SimdHelper | null,
  post: (message: WorkerMessage) => void,
): Promise<void> {
  const { sampler } = runner;
  let seen = first;
  for (;;) {
    seen = waitForCommand(words, seen);
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
        sampler.collect(argument0, argument1);
        break;
      case Command.BEGIN:
        sampler.begin(argument0);
        break;
      case Command.STEP:
        sampler.step(argument0, argument1);
        break;
      case Command.FINISH:
        sampler.finish(argument0, argument1);
        break;
      case Command.LEARN:
        helper?.participate(workerIndex + 1);
        break;
      case Command.GET_STATE:
        reply({ kind: 'states', states: runner.envStates() as JsonValue[] });
        break;
      case Command.PLAY: {
        const request = receiveMessageOnPort(port)?.message as PlayRequest;
        reply({ kind: 'played', played: await runner.player.play(request) });
        break;
      }
      case Command.STOP:
        reportDone(words, seen);
        return;
    }
    const isRolloutOver = command === Command.COLLECT || command === Command.FINISH;
    const sums = isRolloutOver ? sampler.takeMetrics() : null;
    if (sums !== null) reply({ kind: 'metrics', sums });
    Atomics.store(words, Word.POSTED, isPosted ? 1 : 0);
    reportDone(words, seen);
  }
}
