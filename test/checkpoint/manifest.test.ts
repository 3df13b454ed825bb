import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashJson, jsonDifferences, stringifyExact } from '../../src/checkpoint/exact-json.ts';
import {
  checkRelativePath,
  decodeManifest,
  encodeManifest,
  type Manifest,
} from '../../src/checkpoint/manifest.ts';
import { CheckpointError } from '../../src/errors.ts';
import type { JsonObject, JsonValue } from '../../src/json.ts';

const MANIFEST: Manifest = {
  formatVersion: 1,
  operantVersion: '0.1.0',
  createdAt: '2025-01-01T00:00:00.000Z',
  configHash: null,
  fingerprint: { node: '20' },
  description: { algorithm: 'toy' },
  files: { 'state.json': { size: 3, sha256: 'a'.repeat(64) } },
};

/** A manifest's text with some fields changed and its checksum made right again. */
function forged(changes: JsonObject): string {
  const fields = { format: 'operant-checkpoint', ...MANIFEST, ...changes } as unknown as JsonObject;
  return JSON.stringify({ ...fields, sha256: hashJson(fields) });
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof CheckpointError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('manifests', () => {
  test('come back as they were written', () => {
    expect(decodeManifest(encodeManifest(MANIFEST))).toEqual(MANIFEST);
  });

  test.each([
    ['no JSON', '{', 'CHECKPOINT_MANIFEST'],
    ["somebody else's JSON", '{"name":"x"}', 'CHECKPOINT_MANIFEST'],
    ['a list', '[]', 'CHECKPOINT_MANIFEST'],
    [
      'a size that is negative',
      forged({ files: { 'a.json': { size: -1, sha256: 'a'.repeat(64) } } }),
      'CHECKPOINT_MANIFEST',
    ],
    [
      'a checksum that is short',
      forged({ files: { 'a.json': { size: 1, sha256: 'abc' } } }),
      'CHECKPOINT_MANIFEST',
    ],
    ['files that are a list', forged({ files: [] }), 'CHECKPOINT_MANIFEST'],
    [
      'a path that leaves the folder',
      forged({ files: { '../a.json': { size: 1, sha256: 'a'.repeat(64) } } }),
      'CHECKPOINT_PATH',
    ],
    ['a changed field', encodeManifest(MANIFEST).replace('toy', 'boy'), 'CHECKPOINT_CHECKSUM'],
  ])('refuse %s', (_, text, code) => {
    expect(codeOf(() => decodeManifest(text))).toBe(code);
  });

  test('of another format version say who wrote them and what to do', () => {
    expect(() => decodeManifest(forged({ formatVersion: 2, operantVersion: '9.0.0' }))).toThrow(
      /format 2 .*9\.0\.0.*reads format 1.*newer Operant/,
    );
    expect(() => decodeManifest(forged({ formatVersion: 0 }))).toThrow(/format 0 .*No migration/);
    expect(codeOf(() => decodeManifest(forged({ formatVersion: 'x' })))).toBe('CHECKPOINT_VERSION');
  });

  test('of any kind of damage give a CheckpointError: random text, JSON, cut and changed manifests', () => {
    const text = encodeManifest(MANIFEST);
    const fields = fc.constantFrom(...Object.keys(MANIFEST));
    const damaged = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.nat(text.length).map((length) => text.slice(0, length)),
      fc.tuple(fields, fc.jsonValue()).map(([field, value]) => forged({ [field]: value as JsonValue })),
      fc.dictionary(fc.string(), fc.jsonValue()).map((files) => forged({ files: files as JsonObject })),
    );
    fc.assert(
      fc.property(damaged, (input) => {
        expect(codeOf(() => decodeManifest(input))).toMatch(
          /^CHECKPOINT_(MANIFEST|VERSION|CHECKSUM|PATH|VALUE)$|^no error$/,
        );
      }),
      { numRuns: 5000 },
    );
  });

  test('nested ten thousand deep give a CheckpointError', () => {
    const deep = '['.repeat(10_000) + ']'.repeat(10_000);
    const text = `{"format":"operant-checkpoint","formatVersion":1,"description":${deep},"sha256":"x"}`;
    expect(codeOf(() => decodeManifest(text))).toMatch(/^CHECKPOINT_/);
  });
});

describe('checkRelativePath', () => {
  test('accepts only paths that stay inside: joined to a folder they never leave it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('..', '.', '', 'a', '\\', '/', 'C:', 'x.json', '.json', '\0', '~')),
        (parts) => {
          const path = `${parts.join('/')}.json`;
          if (codeOf(() => checkRelativePath(path)) !== 'no error') return;
          expect(new URL(`file:///root/${path}`).pathname).toBe(`/root/${path.replaceAll(' ', '%20')}`);
          expect(path).toMatch(/^[^\\:\0~/][^\\:\0~]*$/);
        },
      ),
    );
    for (const path of ['state.json', 'policies/default/weights.safetensors', 'a b/c-1_2.json'])
      checkRelativePath(path);
  });
});

describe('stringifyExact', () => {
  test('gives back any JSON value, -0 included, and sorts keys on demand', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(stringifyExact(value as JsonValue, 'v'))).toEqual(value);
        expect(JSON.parse(stringifyExact(value as JsonValue, 'v', true))).toEqual(value);
      }),
    );
    expect(
      stringifyExact({ b: -0, a: [undefined as unknown as null, 1e-300], c: undefined }, 'v', true),
    ).toBe('{"a":[null,1e-300],"b":-0}');
  });
});

describe('jsonDifferences', () => {
  test('names the leaves that differ', () => {
    const first = { a: 1, same: [1, { x: 2 }], list: [1, 2], gone: true };
    const second = { a: 2, same: [1, { x: 2 }], list: [1, 3, 4], kind: { of: 'x' } };
    expect(jsonDifferences(first, second)).toEqual([
      { path: 'a', first: '1', second: '2' },
      { path: 'list[1]', first: '2', second: '3' },
      { path: 'list[2]', first: 'nothing', second: '4' },
      { path: 'gone', first: 'true', second: 'nothing' },
      { path: 'kind', first: 'nothing', second: '{"of":"x"}' },
    ]);
  });

  test('does not take what every object inherits for a field', () => {
    expect(jsonDifferences({ toString: '' }, {})).toEqual([
      { path: 'toString', first: '""', second: 'nothing' },
    ]);
  });

  test('is empty for equal values only', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(jsonDifferences(a as JsonValue, structuredClone(a) as JsonValue)).toEqual([]);
        const isEqual =
          stringifyExact(a as JsonValue, 'a', true) === stringifyExact(b as JsonValue, 'b', true);
        expect(jsonDifferences(a as JsonValue, b as JsonValue).length === 0).toBe(isEqual);
      }),
    );
  });
});
