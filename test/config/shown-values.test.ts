/** How a value that was refused is shown: as it is, not as JSON would have it. */
import { expect, test } from 'vitest';
import { showValue } from '../../src/config/problems.ts';

test.each<[unknown, string]>([
  [{ a: Number.POSITIVE_INFINITY }, '`{"a":Infinity}` (object)'],
  [{ a: undefined, b: [Number.NaN] }, '`{"a":undefined,"b":[NaN]}` (object)'],
  [{ a: 10n }, '`{"a":10n}` (object)'],
  [
    { a: new Date(0), b: new Map(), c: new Set(), d: /x/ },
    '`{"a":a Date,"b":a Map,"c":a Set,"d":a RegExp}` (object)',
  ],
  [{ a: () => 1 }, '`{"a":function}` (object)'],
  [10n, '`10` (bigint)'],
  ['text', '`text` (string)'],
])('%o', (value, shown) => {
  expect(showValue(value)).toBe(shown);
});
