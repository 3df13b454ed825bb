/** A step through the version that answers, with what a recurrent policy remembers of its session. */
import { startsOf } from '../env/discrete-starts.ts';
import { ServeError } from '../errors.ts';
import { actionSize } from '../policy/policy-spec.ts';
import type { ActRequest } from './batcher.ts';
import type { LoadedModel, RowAnswers } from './load-model.ts';
import type { Reply } from './reply.ts';
import type { ServedVersion } from './served-version.ts';
import type { SessionKey, Sessions } from './sessions.ts';

export interface Asked {
  /** The version that answers by now. */
  find(): ServedVersion;
  /** Reads the request as that version takes it. With `states` of the client's own no session is needed. */
  read(model: LoadedModel): ActRequest;
  /** Whose episode it is; undefined = nobody said. Looked at where the policy remembers one. */
  readonly session: SessionKey | undefined;
  /** An episode begins. */
  readonly begins: boolean;
  /** It is over with this step. */
  readonly ends: boolean;
}

export interface Acted extends RowAnswers {
  /** Which version it was. */
  readonly model: LoadedModel;
}

/** Fails with ServeError as the queue, the model and the sessions do; `SERVE_SESSION` 400, `SERVE_SESSION_STATE` 409. */
export function actInSession(sessions: Sessions, asked: Asked, reply: Reply<Acted>): void {
  try {
    const served = asked.find();
    const { model, batcher } = served;
    const request = asked.read(model);
    if (model.stateSize === 0 || request.states !== null) {
      batcher.submit(request, {
        answer({ actions, states }) {
          reply.answer({ model, actions, states });
        },
        fail: reply.fail,
      });
    } else takeStep(sessions, asked, served, request).then(reply.answer, reply.fail);
  } catch (error) {
    reply.fail(error);
  }
}

async function takeStep(
  sessions: Sessions,
  asked: Asked,
  served: ServedVersion,
  request: ActRequest,
): Promise<Acted> {
  const { model } = served;
  const key = keyOf(model, asked.session);
  if (request.numRows !== 1) {
    const message = `A session is one episode: expected 1 row, got ${request.numRows}.`;
    throw new ServeError('SERVE_REQUEST', 400, message);
  }
  const step = { begins: asked.begins, ends: asked.ends, timeoutMs: request.timeoutMs };
  return sessions.step(key, step, async (memory, timeoutMs) => {
    // While it waited for its turn another version may have become the default.
    const now = asked.find();
    const row = now === served ? request : asked.read(now.model);
    const states = memory === null ? null : statesFor(now.model, memory);
    const answers = await now.batcher.act({ ...row, states, timeoutMs });
    return {
      model: now.model,
      memory: { states: answers.states, layout: now.model.stateLayout },
      ...answers,
    };
  });
}

/** Flat actions as the environment takes them: `start` of Discrete is added in place. [numRows, A] */
export function addStarts({ actionSpace, spec }: LoadedModel, actions: Float32Array | Int32Array) {
  const starts = startsOf(actionSpace);
  const A = actionSize(spec.distribution);
  if (starts.some((start) => start !== 0))
    for (let k = 0; k < actions.length; k++) actions[k] += starts[k % A] ?? 0;
  return actions;
}

function keyOf({ name }: LoadedModel, session: SessionKey | undefined): SessionKey {
  if (session === undefined) {
    const message = `The policy ${name} is recurrent: give \`session\`, and \`reset\` where an episode begins.`;
    throw new ServeError('SERVE_SESSION', 400, message);
  }
  return typeof session === 'string' ? `${name}\n${session}` : session;
}

function statesFor(
  { name, version, stateLayout }: LoadedModel,
  { states, layout }: { readonly states: Float32Array; readonly layout: string },
): Float32Array {
  if (layout === stateLayout) return states;
  const message = `Version ${version} of ${name} remembers otherwise (${stateLayout}) than the version that this episode began with (${layout}): begin another one with \`reset\`.`;
  throw new ServeError('SERVE_SESSION_STATE', 409, message);
}
