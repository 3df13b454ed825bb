import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrictJson } from '../../src/config/strict-json.ts';

describe('parseStrictJson', () => {
  it('ignores a byte order mark', () => {
    expect(parseStrictJson('\uFEFF{"a": 1}')).toEqual({ a: 1 });
  });

  it.each([
    ['{"a": 1, "a": 2}', 'a'],
    ['{"x": [{"b": {"c": 1}, "d": 2, "b": 3}]}', 'b'],
    ['{"a": "a", "\\u0061": 1}', 'a'],
    ['{"a:": "{", "a:": 0}', 'a:'],
  ])('names the key that stands twice: %s', (text, key) => {
    expect(() => parseStrictJson(text)).toThrow(`the key "${key}" stands twice`);
  });

  it('gives what JSON.parse gives for everything else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses what is no JSON', () => {
    expect(() => parseStrictJson('{a: 1}')).toThrow(SyntaxError);
  });
});
