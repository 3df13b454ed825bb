/** The open inference protocol, version 2, as KServe and Triton speak it over HTTP: flat rows in, flat actions out. */

import { operantVersion } from '../machine/operant-version.ts';
import { actionDtype, actionSize } from '../policy/policy-spec.ts';
import { badRequest, checkFinite, type RequestDefaults, readPriority, readTimeout } from './act-route.ts';
import { actRows } from './act-rows.ts';
import type { LoadedModel } from './load-model.ts';
import type { ModelRepository } from './model-repository.ts';

interface Tensor {
  readonly name?: unknown;
  readonly shape?: unknown;
  readonly datatype?: unknown;
  readonly data?: unknown;
}

export const serverMetadata = () => ({ name: 'operant', version: operantVersion(), extensions: [] });

export function modelMetadata({ name, spec }: LoadedModel, versions: readonly string[]): object {
  const { observationSize, observationDtype, actionMaskSize, distribution } = spec;
  const tensor = (name: string, datatype: string, size: number) => ({ name, datatype, shape: [-1, size] });
  const inputs = [tensor('observation', observationDtype === 'uint8' ? 'UINT8' : 'FP32', observationSize)];
  if (actionMaskSize > 0) inputs.push(tensor('mask', 'BOOL', actionMaskSize));
  const outputs = [tensor('action', datatypeOfActions(spec.distribution), actionSize(distribution))];
  return { name, versions, platform: 'operant', inputs, outputs };
}

function datatypeOfActions(distribution: LoadedModel['spec']['distribution']): string {
  return actionDtype(distribution) === 'int32' ? 'INT32' : 'FP32';
}

/** @param body parsed JSON, of anybody. */
export async function answerInfer(
  repository: ModelRepository,
  defaults: RequestDefaults,
  [name, version]: readonly [string, string | undefined],
  body: unknown,
): Promise<object> {
  const { id, parameters, inputs } = Object(body) as {
    readonly id?: unknown;
    readonly parameters?: unknown;
    readonly inputs?: unknown;
  };
  const { priority, timeout, session } = Object(parameters) as Readonly<Record<string, unknown>>;
  const served = repository.find(name, version, typeof session === 'string' ? session : undefined);
  const { model } = served;
  const { spec } = model;
  const { observationSize, actionMaskSize, distribution } = spec;
  const tensors = Array.isArray(inputs) ? (inputs as readonly Tensor[]) : [];
  const given = readTensor(tensors, 'observation', observationSize);
  const numRows = given.length / observationSize;
  if (numRows > model.maxRows) throw badRequest(`Expected at most ${model.maxRows} rows, got ${numRows}.`);
  const observations = spec.observationDtype === 'uint8' ? Uint8Array.from(given) : Float32Array.from(given);
  checkFinite(observations);
  const masks =
    actionMaskSize > 0 ? Uint8Array.from(readTensor(tensors, 'mask', actionMaskSize), Number) : null;
  if (masks !== null && masks.length !== numRows * actionMaskSize)
    throw badRequest('Expected as many rows of `mask` as of `observation`.');
  const actions = await actRows(served, {
    observations,
    masks,
    numRows,
    priority: readPriority(priority, defaults),
    timeoutMs: readTimeout(typeof timeout === 'number' ? timeout / 1000 : timeout, defaults), // us in this protocol
  });
  const A = actionSize(distribution);
  const datatype = datatypeOfActions(distribution);
  const output = { name: 'action', datatype, shape: [numRows, A], data: Array.from(actions) };
  return {
    model_name: model.name,
    model_version: model.version,
    ...(typeof id === 'string' && { id }),
    outputs: [output],
  };
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
