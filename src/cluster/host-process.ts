/**
 * The rollout process of a host: `node host-process.ts FD_IN FD_OUT [FD_SHARED]`, in the folder that was shipped. It takes requests one after the
 * other and ends when its input does, whatever killed whoever held the other end.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { toErrorMessage } from '../rollout/error-message.ts';
import { type Frame, FrameType } from './frames.ts';
import { decodeMessage, type HostPlan, type HostRequest } from './host-messages.ts';
import { openHostWires } from './host-wires.ts';
import { pythonFileOf, withPythonFile } from './python-file.ts';
import { createRolloutHost, type HostAnswer, type RolloutHost } from './rollout-host.ts';
import { stamp } from './stage-clock.ts';

/** Files were shipped under paths relative to the folder that this process runs in. */
function located(plan: HostPlan): HostPlan {
  const here = (path: string) => join(process.cwd(), path);
  const source = { ...plan.source, module: pathToFileURL(here(plan.source.module)).href };
  const python = pythonFileOf(source);
  return { ...plan, source: python === null ? source : withPythonFile(source, here(python)) };
}

interface HostState {
  host: RolloutHost | null;
  cut: AbortController;
}

async function obey(state: HostState, request: HostRequest): Promise<HostAnswer> {
  if (request.kind === 'start') {
    await state.host?.stop();
    state.host = await createRolloutHost(located(request.plan));
    return state.host.start(request.states);
  }
  const { host } = state;
  if (host === null)
    throw new TypeError(`A rollout process was asked for ${request.kind} before it was started.`);
  switch (request.kind) {
    case 'collect':
      return host.collect();
    case 'states':
      return host.states();
    case 'options':
      return host.setEnvOptions(request.options);
    case 'play':
      state.cut = new AbortController();
      return host.play(request.request, state.cut.signal);
    default:
      throw new TypeError(`A rollout process does not answer ${request.kind}.`);
  }
}

function run(): void {
  const state: HostState = { host: null, cut: new AbortController() };
  let last: Promise<void> = Promise.resolve();
  const answer = async (frame: Frame) => {
    if (frame.type === FrameType.WEIGHTS) {
      state.host?.useWeights(frame.payload);
      return;
    }
    stamp('heard', frame.host, frame.requestId);
    let result: HostAnswer;
    try {
      result = await obey(state, decodeMessage<HostRequest>(frame.payload).message);
    } catch (error) {
      result = { message: { kind: 'failed', error: toErrorMessage(error), failures: [], restarted: [] } };
    }
    stamp('collected', frame.host, frame.requestId);
    wires.reply(frame, result.message, result.body);
    stamp('answered', frame.host, frame.requestId);
  };
  const wires = openHostWires({
    onNotice: () => state.cut.abort(),
    onRequest: (frame) => {
      last = last.then(() => answer(frame));
    },
    onClose: () => undefined,
  });
}

run();
