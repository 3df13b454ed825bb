import { expect, test } from 'vitest';
import { assertKnownSpec } from '../../../src/policy/networks/known-spec.ts';
import { categorical, makeSpec } from '../../reference/policy-specs.ts';

test('a spec that says more than is computed is refused by name', () => {
  const spec = makeSpec(categorical(2), { layerNorm: true });
  expect(() => assertKnownSpec(spec, 'an export')).not.toThrow();
  const recurrent = { ...spec, network: { ...spec.network, recurrent: { kind: 'lstm' } } };
  expect(() => assertKnownSpec(recurrent, 'an export')).toThrow(
    /an export does not cover policies with `recurrent`/,
  );
  expect(() => assertKnownSpec({ ...spec, memory: 4 } as never, 'an export')).toThrow(/`memory`/);
});
