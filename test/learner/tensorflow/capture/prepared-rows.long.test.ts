/** A served policy gets batches of any number of rows: none of them waits for a graph. */
import { describe, expect, it } from 'vitest';
import { createCentralBatchActor } from '../../../../src/acting/batch-actor.ts';
import { loadTensorFlow } from '../../../../src/learner/tensorflow/backend.ts';
import { createTensorFlowPolicy } from '../../../../src/learner/tensorflow/central-policy.ts';
import { createTensorNetwork } from '../../../../src/policy/tensor-network.ts';
import { openStream } from '../../../../src/random/streams.ts';
import { gaussian, makeSpec, randomParameters } from '../../../reference/policy-specs.ts';
import { noNativeBinding } from '../native.ts';

const MAX_ROWS = 6;
const spec = makeSpec(gaussian(2), { hiddenSizes: [8] });
const parameters = randomParameters(spec);

async function open(rowsVary: boolean) {
  const tensorflow = await loadTensorFlow({ backend: 'node-gpu' });
  const network = createTensorNetwork(tensorflow.tf, spec);
  const policy = createTensorFlowPolicy({ tensorflow, spec, network, parameters, rowsVary });
  policy.publish(parameters, null);
  const actor = createCentralBatchActor(policy, spec, MAX_ROWS);
  const stream = openStream(2, 'rows');
  for (let k = 0; k < actor.observations.length; k++) actor.observations[k] = stream.normal();
  return { policy, actor };
}

describe.skipIf(noNativeBinding !== null)('rowsVary', () => {
  it('acts as a graph of just so many rows does, for every number, and prepares for all of them', async () => {
    const [varying, exact] = [await open(true), await open(false)];
    const bytes = await varying.policy.prepare(MAX_ROWS);
    expect(bytes).toBe((4 + 1) * parameters.byteLength); // graphs for 1, 2, 4 and 8 rows, and the weights themselves
    for (let numRows = 1; numRows <= MAX_ROWS; numRows++) {
      for (const { actor } of [varying, exact]) await actor.act(numRows, true);
      expect(new Set(varying.actor.actions).size).toBeGreaterThan(numRows);
      for (const [k, action] of varying.actor.actions.subarray(0, 2 * numRows).entries())
        expect(Math.abs(action - exact.actor.actions[k])).toBeLessThanOrEqual(1e-6);
    }
    expect(await varying.policy.prepare(MAX_ROWS)).toBe(bytes); // no number of rows made another one
    expect(await exact.policy.prepare(MAX_ROWS)).toBeGreaterThan(bytes); // here 3, 5 and 6 have
    for (const { policy } of [varying, exact]) policy.dispose();
  });
});
