/** The open inference protocol, version 2, as KServe and Triton speak it over HTTP: flat rows in, flat actions out. */

import { operantVersion } from '../machine/operant-version.ts';
import { actionDtype, actionSize } from '../policy/policy-spec.ts';
import { type Acted, type Asked, actInSession, addStarts } from './act-in-session.ts';
import {
  badRequest,
  checkFinite,
  type RequestDefaults,
  readPriority,
  readSession,
  readTimeout,
} from './act-route.ts';
import type { BatchRows, LoadedModel } from './load-model.ts';
import type { ModelRepository } from './model-repository.ts';
import { promised } from './reply.ts';
import type { RequestTimes } from './request-times.ts';

interface Tensor {
  readonly name?: unknown;
  readonly shape?: unknown;
  readonly datatype?: unknown;
  readonly data?: unknown;
}

export const serverMetadata = () => ({ name: 'operant', version: operantVersion(), extensions: [] });

export function modelMetadata({ name, spec, stateSize }: LoadedModel, versions: readonly string[]): object {
  const { observationSize, observationDtype, actionMaskSize, distribution } = spec;
  const tensor = (name: string, datatype: string, size: number) => ({ name, datatype, shape: [-1, size] });
  const inputs = [tensor('observation', observationDtype === 'uint8' ? 'UINT8' : 'FP32', observationSize)];
  if (actionMaskSize > 0) inputs.push(tensor('mask', 'BOOL', actionMaskSize));
  const outputs = [tensor('action', datatypeOfActions(spec.distribution), actionSize(distribution))];
  if (stateSize > 0) {
    inputs.push(tensor('state', 'FP32', stateSize));
    outputs.push(tensor('nextState', 'FP32', stateSize));
  }
  return { name, versions, platform: 'operant', inputs, outputs };
}

function datatypeOfActions(distribution: LoadedModel['spec']['distribution']): string {
  return actionDtype(distribution) === 'int32' ? 'INT32' : 'FP32';
}

/**
 * Recurrent policies: with an input `state` (zeros where an episode begins) the client keeps it, and finds the next one in the output `nextState`.
 * Else the server does, by session: `sequence_id`, `sequence_start` and `sequence_end` among the parameters, as Triton's clients send them.
 *
 * @param body parsed JSON, of anybody.
 */
export async function answerInfer(
  repository: ModelRepository,
  defaults: RequestDefaults,
  [name, version]: readonly [string, string | undefined],
  body: unknown,
  times: RequestTimes | null,
): Promise<object> {
  const { id, parameters, inputs } = Object(body) as {
    readonly id?: unknown;
    readonly parameters?: unknown;
    readonly inputs?: unknown;
  };
  const given = Object(parameters) as Readonly<Record<string, unknown>>;
  const session = readSequence(given);
  await repository.prepare(name);
  const tensors = Array.isArray(inputs) ? (inputs as readonly Tensor[]) : [];
  const asked: Asked = {
    find: () => repository.find(name, version, session),
    read: (model) => ({
      ...readRows(model, tensors),
      times,
      priority: readPriority(given.priority, defaults),
      timeoutMs: readTimeout(
        typeof given.timeout === 'number' ? given.timeout / 1000 : given.timeout, // us in this protocol
        defaults,
      ),
    }),
    session,
    begins: given.sequence_start === true,
    ends: given.sequence_end === true,
  };
  const acted = await promised<Acted>((reply) => actInSession(repository.sessions, asked, reply));
  const { model } = acted;
  return {
    model_name: model.name,
    model_version: model.version,
    ...(typeof id === 'string' && { id }),
    outputs: outputsOf(acted, tensors.some(isState)),
  };
}

const isState = (tensor: Tensor) => Object(tensor).name === 'state';

/** @param hasState whether the client keeps it. */
function outputsOf({ model, actions, states }: Acted, hasState: boolean): readonly object[] {
  const { spec, stateSize } = model;
  const A = actionSize(spec.distribution);
  const numRows = actions.length / A;
  const action = {
    name: 'action',
    datatype: datatypeOfActions(spec.distribution),
    shape: [numRows, A],
    data: Array.from(addStarts(model, actions)),
  };
  if (!hasState) return [action];
  return [
    action,
    { name: 'nextState', datatype: 'FP32', shape: [numRows, stateSize], data: Array.from(states) },
  ];
}

/** Triton's ids are numbers, 0 = none. */
function readSequence({ session, sequence_id: id }: Readonly<Record<string, unknown>>): string | undefined {
  if (id === undefined || id === 0) return readSession(session);
  return readSession(typeof id === 'number' ? String(id) : id);
}

function readRows(model: LoadedModel, tensors: readonly Tensor[]): BatchRows {
  const { spec, stateSize } = model;
  const { observationSize, actionMaskSize } = spec;
  const given = readTensor(tensors, 'observation', observationSize);
  const numRows = given.length / observationSize;
  if (numRows > model.maxRows) throw badRequest(`Expected at most ${model.maxRows} rows, got ${numRows}.`);
  const observations = spec.observationDtype === 'uint8' ? Uint8Array.from(given) : Float32Array.from(given);
  checkFinite(observations);
  const beside = (name: string, size: number): number[] => {
    const data = readTensor(tensors, name, size);
    if (data.length === numRows * size) return data;
    throw badRequest(`Expected as many rows of \`${name}\` as of \`observation\`.`);
  };
  const masks = actionMaskSize > 0 ? Uint8Array.from(beside('mask', actionMaskSize), Number) : null;
  if (!tensors.some(isState)) return { observations, masks, states: null, numRows };
  if (stateSize === 0)
    throw badRequest(`The policy ${model.name} remembers nothing: leave out the input \`state\`.`);
  const states = Float32Array.from(beside('state', stateSize));
  checkFinite(states);
  return { observations, masks, states, numRows };
}

function readTensor(tensors: readonly Tensor[], name: string, size: number): number[] {
  const tensor = tensors.find((input) => Object(input).name === name);
  if (tensor === undefined) throw badRequest(`Expected an input \`${name}\` of shape [rows, ${size}].`);
  const data = Array.isArray(tensor.data) ? (tensor.data as unknown[]).flat(Infinity) : [];
  const numRows = data.length / size;
  const isShaped = String(tensor.shape) === `${numRows},${size}`;
  const isRight = data.every((x) => typeof x === 'number' || typeof x === 'boolean');
  if (data.length > 0 && Number.isInteger(numRows) && isShaped && isRight) return data as number[];
  throw badRequest(
    `Expected input \`${name}\` to have shape [rows, ${size}] and as many numbers as that says.`,
  );
}
