/**
 * State is checked as strictly as configuration: a checkpoint with right checksums and anything wrong in it is refused, and nothing has
 * changed then. Every leaf of every file is tried.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CheckpointContent, NamedTensor } from '../../src/checkpoint/content.ts';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { names, subjectOf } from './subject.ts';

/** What is checked elsewhere: the config when it is resolved, the policy's description against this run's, and by `loadPolicy`. */
const ELSEWHERE = ['config.json', 'policies/default/policy.json'];
/** Fields that may be absent: written by later versions only. */
const OPTIONAL = /klPenaltyCoeff/;
/** Written for whoever loads the policy alone; a run goes on with the moments that they follow from. */
const DERIVED = /^observation\//;

/** The places of all leaves, the first element standing for those of a list. */
function leaves(value: JsonValue | undefined, path: readonly string[] = []): (readonly string[])[] {
  if (Array.isArray(value)) return value.length === 0 ? [path] : leaves(value[0], [...path, '0']);
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

/** A copy in which one place holds something else; undefined = nothing. */
function withValue(root: JsonValue, path: readonly string[], value: JsonValue | undefined): JsonObject {
  const copy = structuredClone(root) as Record<string, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  const key = path.at(-1) as string;
  if (value === undefined && !Array.isArray(at)) delete at[key];
  else at[key] = value;
  return copy as JsonObject;
}

function* forgedTensors(tensor: NamedTensor): Generator<[string, NamedTensor]> {
  const { dtype, shape, data } = tensor;
  const other = dtype === 'float64' ? 'float32' : 'float64';
  const converted = other === 'float64' ? Float64Array.from(data) : Float32Array.from(data);
  yield ['of another dtype', { dtype: other, shape, data: converted }];
  yield ['of another shape', { dtype, shape: [1, ...shape], data }];
  if (data.length === 0) return;
  yield ['cut short', { dtype, shape: [data.length - 1], data: data.slice(1) }];
  const first = (value: number) => {
    const copy = data.slice();
    copy[0] = value;
    return { dtype, shape, data: copy };
  };
  if (dtype.startsWith('float')) {
    yield ['with NaN', first(Number.NaN)];
    yield ['with infinity', first(Number.POSITIVE_INFINITY)];
  }
  if (dtype === 'int32') yield ['negative', first(-1)];
}

type Forgery = readonly [string, CheckpointContent];

function* forgedJson(content: CheckpointContent): Generator<Forgery> {
  for (const [file, root] of Object.entries(content.json)) {
    if (ELSEWHERE.includes(file)) continue;
    const forged = (path: readonly string[], value: JsonValue | undefined): CheckpointContent => ({
      ...content,
      json: { ...content.json, [file]: withValue(root, path, value) },
    });
    for (const path of leaves(root)) {
      // What an environment gave is its own.
      if (path[0] === 'envStates') continue;
      const where = `${file}: ${path.join('.')}`;
      yield [`${where} is text`, forged(path, 'forged')];
      yield [`${where} is a list`, forged(path, [[]])];
      if (!OPTIONAL.test(where)) yield [`${where} is missing`, forged(path, undefined)];
    }
  }
}

function* forgedCounters(content: CheckpointContent): Generator<Forgery> {
  for (const counter of ['iteration', 'numEnvSteps', 'numEpisodes']) {
    for (const value of [-5, 1.5, 1e300, 7]) {
      const json = { ...content.json, 'state.json': { ...content.json['state.json'], [counter]: value } };
      yield [`${counter} is ${value}`, { ...content, json }];
      const description = { ...content.description, [counter]: value };
      yield [`${counter} is ${value} in the manifest`, { ...content, description }];
    }
    const both = { [counter]: -5 };
    const json = { ...content.json, 'state.json': { ...content.json['state.json'], ...both } };
    yield [
      `${counter} is -5 in both`,
      { ...content, json, description: { ...content.description, ...both } },
    ];
  }
}

function* forgedFiles(content: CheckpointContent): Generator<Forgery> {
  for (const [file, tensors] of Object.entries(content.tensors)) {
    const withTensors = (changed: Record<string, NamedTensor>): CheckpointContent => ({
      ...content,
      tensors: { ...content.tensors, [file]: changed },
    });
    for (const [name, tensor] of Object.entries(tensors)) {
      if (DERIVED.test(name)) continue;
      const { [name]: _, ...others } = tensors;
      yield [`${file}: ${name} is missing`, withTensors(others)];
      for (const [how, forged] of forgedTensors(tensor)) {
        yield [`${file}: ${name} is ${how}`, withTensors({ ...tensors, [name]: forged })];
      }
    }
  }
}

describe.each(names)('%s', async (name) => {
  const subject = await subjectOf(name);

  test('a checkpoint with anything wrong in it is refused, and nothing has changed', async () => {
    const algorithm = await subject.build(subject.settings.values, { envRunners: { numEnvRunners: 0 } });
    onTestFinished(() => algorithm.stop());
    for (let k = 0; k < 2; k++) await algorithm.train();
    const content = await algorithm.getState();
    const before = structuredClone({ json: content.json, tensors: content.tensors });
    const accepted: string[] = [];
    let numTried = 0;
    for (const [what, forged] of [
      ...forgedJson(content),
      ...forgedCounters(content),
      ...forgedFiles(content),
    ]) {
      numTried += 1;
      const error: unknown = await algorithm.setState(forged).catch((reason: unknown) => reason);
      if ((error as Error | undefined)?.name !== 'CheckpointError')
        accepted.push(`${what}: ${error ?? 'accepted'}`);
    }
    expect(accepted).toEqual([]);
    expect(numTried).toBeGreaterThan(100);
    const { json, tensors } = await algorithm.getState();
    expect({ json, tensors }).toEqual(before);
    await algorithm.setState(content);
  });
});
