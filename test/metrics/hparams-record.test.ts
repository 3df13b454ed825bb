/** Hyperparameters for TensorBoard: the bytes that its own protocol buffers make of the same event. */
import { expect, test } from 'vitest';
import { wholeRecordsUpTo } from '../../src/metrics/event-record.ts';
import { hyperparametersRecord } from '../../src/metrics/hparams-record.ts';
import { hyperparametersOf } from '../../src/run/hyperparameters.ts';

// event_pb2.Event(...).SerializeToString() of TensorBoard 2.20 for this session.
const EVENT =
  '0900002040fc54d9412a7a0a780a1c5f68706172616d735f2f73657373696f6e5f73746172745f696e666f4a580a560a0768706172616d73124b1a490a190a0c' +
  '6c6561726e696e6752617465120911000000000000e03f0a0d0a0775736547736465120220010a140a03656e76120d1a0b43617274506f6c652d7631' +
  '2900002040fc54d941';

test('a session in bytes', () => {
  const record = hyperparametersRecord(1_700_000_000.5, {
    learningRate: 0.5,
    useGsde: true,
    env: 'CartPole-v1',
  });
  expect(record.subarray(12, -4).toString('hex')).toBe(EVENT);
  expect(wholeRecordsUpTo(record, 0)).toBe(record.length);
});

test('what is told of a configuration', () => {
  const config = {
    algorithm: 'ppo',
    environment: { env: 'CartPole-v1', envOptions: {}, maxEpisodeSteps: null },
    training: { learningRate: { schedule: 'linear', from: 1, to: 0 }, hiddenSizes: [8] },
    debugging: { seed: 3, poison: false },
    checkpointing: { out: 'somewhere' },
  };
  expect(hyperparametersOf(config)).toEqual({
    algorithm: 'ppo',
    seed: 3,
    env: 'CartPole-v1',
    envOptions: '{}',
    learningRate: '{"schedule":"linear","from":1,"to":0}',
    hiddenSizes: '[8]',
  });
});
