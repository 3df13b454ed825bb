/** `POST /act`: one observation, as the environment gives it, to one action, as the environment takes it. */
import { writeMask } from '../acting/write-mask.ts';
import { writeObservation } from '../acting/write-observation.ts';
import { unflattenAction } from '../env/flatten-action.ts';
import { isOperantError, ServeError } from '../errors.ts';
import { type Acted, type Asked, actInSession } from './act-in-session.ts';
import type { LoadedModel } from './load-model.ts';
import type { ModelRepository } from './model-repository.ts';
import type { Reply } from './reply.ts';
import type { RequestTimes } from './request-times.ts';

const FIELDS = [
  ...(['model', 'version', 'session', 'reset', 'end'] as const),
  ...(['observation', 'actionMask', 'priority', 'timeoutMs'] as const),
] as const;
const KNOWN: ReadonlySet<string> = new Set(FIELDS);
type Field = (typeof FIELDS)[number];
type Fields = Readonly<Partial<Record<Field, unknown>>>;

const MAX_SESSION_LENGTH = 256;

export interface RequestDefaults {
  readonly numPriorities: number;
  readonly defaultPriority: number;
  readonly timeoutMs: number;
}

/** @param body parsed JSON, of anybody. @throws ServeError for what is no request; the rest fails by `reply`. */
export function answerAct(
  repository: ModelRepository,
  defaults: RequestDefaults,
  body: unknown,
  times: RequestTimes | null,
  reply: Reply<object>,
): void {
  const fields = readFields(body);
  const asked = readRequest(repository, defaults, fields, times);
  const acted: Reply<Acted> = {
    answer({ model, actions }) {
      const action = unflattenAction(model.actionSpace, actions, 0);
      reply.answer({ action: plain(action), model: model.name, version: model.version });
    },
    fail: reply.fail,
  };
  const loading = repository.prepare(textOf(fields, 'model'));
  if (loading === null) actInSession(repository.sessions, asked, acted);
  else loading.then(() => actInSession(repository.sessions, asked, acted), reply.fail);
}

function readRequest(
  repository: ModelRepository,
  defaults: RequestDefaults,
  fields: Fields,
  times: RequestTimes | null,
): Asked {
  const [name, version] = [textOf(fields, 'model'), textOf(fields, 'version')];
  const session = readSession(fields.session);
  return {
    find() {
      return repository.find(name, version, session);
    },
    read(model) {
      const { observations, masks } = readRow(model, fields.observation, fields.actionMask);
      const priority = readPriority(fields.priority, defaults);
      const timeoutMs = readTimeout(fields.timeoutMs, defaults);
      return { observations, masks, states: null, numRows: 1, priority, timeoutMs, times };
    },
    session,
    begins: readFlag(fields, 'reset'),
    ends: readFlag(fields, 'end'),
  };
}

export function badRequest(message: string): ServeError {
  return new ServeError('SERVE_REQUEST', 400, message);
}

function readFields(body: unknown): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest('Expected a JSON object with `observation`.');
  for (const name in body)
    if (!KNOWN.has(name)) throw badRequest(`Unknown field \`${name}\`; known: ${FIELDS.join(', ')}.`);
  return body;
}

function textOf(fields: Fields, name: Field): string | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === 'string') return value;
  throw badRequest(`Expected \`${name}\` to be text.`);
}

/** @throws ServeError `SERVE_REQUEST` for what is no text, or too long to be kept. */
export function readSession(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.length >= 1 && value.length <= MAX_SESSION_LENGTH) return value;
  throw badRequest(`Expected \`session\` to be text of 1 to ${MAX_SESSION_LENGTH} characters.`);
}

function readFlag(fields: Fields, name: Field): boolean {
  const value = fields[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw badRequest(`Expected \`${name}\` to be true or false.`);
}

function readRow(model: LoadedModel, observation: unknown, actionMask: unknown) {
  const { spec, observationSpace } = model;
  const { observationSize, actionMaskSize } = spec;
  const observations =
    spec.observationDtype === 'uint8' ? new Uint8Array(observationSize) : new Float32Array(observationSize); // [obsSize]
  const masks = actionMaskSize > 0 ? new Uint8Array(actionMaskSize) : null; // [maskSize] u8
  try {
    writeObservation(observationSpace, observation, observations, 0);
    writeMask(spec, actionMask as ArrayLike<number> | undefined, masks, 0);
  } catch (error) {
    throw isOperantError(error)
      ? badRequest(error.message)
      : badRequest('`actionMask` is no list of 0 and 1.');
  }
  checkFinite(observations);
  return { observations, masks };
}

export function checkFinite(observations: ArrayLike<number>): void {
  if (observations instanceof Uint8Array) return; // whole numbers, all of them
  for (let i = 0; i < observations.length; i++) {
    if (!Number.isFinite(observations[i]))
      throw badRequest(`Element ${i} of the observation is not a finite number.`);
  }
}

export function readPriority(value: unknown, { numPriorities, defaultPriority }: RequestDefaults): number {
  if (value === undefined || value === 0) return defaultPriority;
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= numPriorities)
    return value as number;
  throw badRequest(`Expected \`priority\` to be an integer from 1 (most urgent) to ${numPriorities}.`);
}

/** The server's timeout is the most; a client may have less. */
export function readTimeout(value: unknown, { timeoutMs }: RequestDefaults): number {
  if (value === undefined) return timeoutMs;
  if (typeof value === 'number' && value > 0) return Math.min(value, timeoutMs);
  throw badRequest('Expected the timeout to be a number above 0.');
}

/** Typed arrays as lists. */
function plain(action: unknown): unknown {
  if (ArrayBuffer.isView(action)) return Array.from(action as Float32Array);
  if (Array.isArray(action)) return action.map(plain);
  if (typeof action !== 'object' || action === null) return action;
  return Object.fromEntries(Object.entries(action).map(([name, part]) => [name, plain(part)]));
}
