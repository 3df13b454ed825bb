/** A run's state in parts: joined into one content, and put into effect only when all of it can be. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { fieldState, readField } from '../../src/checkpoint/field-state.ts';
import { joinStates, readStates, type StatePart } from '../../src/checkpoint/state-part.ts';
import type { JsonObject } from '../../src/json.ts';

const tensor = (...values: number[]) =>
  ({ dtype: 'float32', shape: [values.length], data: Float32Array.from(values) }) as const;

/** A part that is one number in `state.json`, and tells of being restored. */
function counter(field: readonly string[], value: number, log: string[] = []): StatePart {
  return fieldState({
    field,
    schema: z.number(),
    getState: () => value,
    setState: (given) => void log.push(`${field.join('.')} = ${given}`),
  });
}

function weights(name: string, file: string): StatePart {
  return {
    name,
    files: [file],
    getState: () => ({ tensors: { [file]: { [name]: tensor(1, 2) } } }),
    readState: () => () => undefined,
  };
}

describe('joining', () => {
  it('makes one object of a file that several parts write, and one record of their tensors', async () => {
    const content = await joinStates([
      counter(['step'], 3),
      counter(['algorithm', 'shuffle'], 1),
      counter(['algorithm', 'noise'], 2),
      weights('actor', 'weights.safetensors'),
      weights('critic', 'weights.safetensors'),
      { ...counter(['x'], 0), getState: () => Promise.resolve({ description: { engine: 'simd' } }) },
    ]);
    expect(content).toEqual({
      description: { engine: 'simd' },
      json: { 'state.json': { step: 3, algorithm: { shuffle: 1, noise: 2 } } },
      tensors: { 'weights.safetensors': { actor: tensor(1, 2), critic: tensor(1, 2) } },
    });
  });

  it.each<[string, StatePart]>([
    ['field', counter(['step'], 4)],
    ['tensor', weights('actor', 'weights.safetensors')],
  ])('refuses a %s that two parts write', async (_, again) => {
    const parts = [counter(['step'], 3), weights('actor', 'weights.safetensors'), again];
    await expect(joinStates(parts)).rejects.toMatchObject({ code: 'CHECKPOINT_PARTS' });
  });
});

describe('reading', () => {
  const content = (state: JsonObject) => ({ description: {}, tensors: {}, json: { 'state.json': state } });

  it('changes nothing until all parts are read, then everything in order', async () => {
    const log: string[] = [];
    const parts = [counter(['a'], 0, log), counter(['b', 'c'], 0, log)];
    const apply = readStates(parts, content({ a: 1, b: { c: 2 } }));
    expect(log).toEqual([]);
    await apply();
    expect(log).toEqual(['a = 1', 'b.c = 2']);
  });

  it.each<[string, JsonObject]>([
    ['missing', { a: 1 }],
    ['of another type', { a: 1, b: { c: 'two' } }],
    ['in something else', { a: 1, b: [2] }],
  ])('refuses a field that is %s, by name, and changes nothing', (_, state) => {
    const log: string[] = [];
    const parts = [counter(['a'], 0, log), counter(['b', 'c'], 0, log)];
    expect(() => readStates(parts, content(state))).toThrow(
      expect.objectContaining({
        code: 'CHECKPOINT_STATE',
        message: expect.stringMatching(/`b\.c` of the checkpoint's state\.json/),
      }),
    );
    expect(log).toEqual([]);
  });

  it('does not find what every object inherits', () => {
    expect(() =>
      readField(content({}), ['toString'], z.any().check(z.refine((x) => x !== undefined))),
    ).toThrow(/toString/);
  });

  it('names every file that is missing, once', () => {
    const parts = [weights('actor', 'w.safetensors'), weights('critic', 'w.safetensors'), counter(['a'], 0)];
    expect(() => readStates(parts, { description: {}, tensors: {}, json: {} })).toThrow(
      expect.objectContaining({
        code: 'CHECKPOINT_INCOMPLETE',
        message: expect.stringContaining(': w.safetensors, state.json not found'),
      }),
    );
  });

  it('lists what differs in all parts at once', () => {
    const identity = (name: string, here: number): StatePart => ({
      ...weights(name, 'x'),
      files: [],
      identity: {
        here: { [name]: here },
        there: ({ description }) => ({ [name]: description[name] ?? null }),
      },
    });
    const parts = [identity('seed', 1), identity('size', 2), identity('same', 3)];
    expect(() => readStates(parts, { description: { seed: 4, same: 3 }, tensors: {}, json: {} })).toThrow(
      /seed: 4 in the checkpoint, 1 here\n {2}size: null in the checkpoint, 2 here\nResume/,
    );
  });
});
