/** What is written as YAML is read as the same by a reader of YAML. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { type YamlValue, yamlText } from '../../src/files/yaml-text.ts';

const { value } = fc.letrec<{ value: YamlValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'yes',
      'No',
      'null',
      '~',
      '1e3',
      '0x1',
      'a: b',
      '- a',
      '',
      ' a',
      '2026-01-01',
      '#',
      "'",
      '---',
      'a b',
      '.inf',
      'y',
    ),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (Object.is(x, -0) ? 0 : x)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string().filter((name) => name !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}));

test('any data comes back as it was', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string().filter((name) => name !== '__proto__' && name !== ''),
        value,
        { minKeys: 1, noNullPrototype: true },
      ),
      (data) => {
        expect(parse(yamlText([data]))).toEqual(data);
      },
    ),
    { numRuns: 500 },
  );
});

test('several documents', () => {
  const documents = parseAllDocuments(yamlText([{ a: [1, [2, { b: [] }], {}] }, { c: 'd: e' }]));
  expect(documents.map((document) => document.toJS())).toEqual([
    { a: [1, [2, { b: [] }], {}] },
    { c: 'd: e' },
  ]);
});
