import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/json.ts';
import { encodeRunState, FRESH_RUN, type RunState, readRunState } from '../../src/run/run-state.ts';

const STATE: RunState = {
  seconds: 12.5,
  best: { iteration: 3, value: -1.5, measure: 'training' },
  numEpisodes: 40,
  lastEvaluation: null,
  numEvaluationsWithoutBest: 0,
  isEvaluationDue: true,
  episodeReturnMean: -2,
};
const content = (value: object) => ({ description: {}, tensors: {}, json: { 'run.json': { ...value } } });

test('comes back as it was saved, and fresh from a checkpoint of no run', () => {
  expect(readRunState(content(encodeRunState(STATE)))).toEqual(STATE);
  expect(readRunState(content(encodeRunState(FRESH_RUN)))).toEqual(FRESH_RUN);
  expect(readRunState({ description: {}, tensors: {}, json: {} })).toEqual(FRESH_RUN);
});

describe('is refused by the name of the field', () => {
  const best = (changes: object): JsonValue => ({ ...STATE.best, ...changes }) as JsonValue;
  test.each<[string, object]>([
    ['seconds', { seconds: -1 }],
    ['numEpisodes', { numEpisodes: -5 }],
    ['numEpisodes', { numEpisodes: 1.5 }],
    ['episodeReturnMean', { episodeReturnMean: '3' }],
    ['best', { best: 3 }],
    ['best.iteration', { best: best({ iteration: -5 }) }],
    ['best.value', { best: best({ value: null }) }],
    ['best.measure', { best: best({ measure: 'luck' }) }],
  ])('%s', (field, changes) => {
    expect(() => readRunState(content({ ...encodeRunState(STATE), ...changes }))).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_JSON', message: expect.stringContaining(`\`${field}\``) }),
    );
  });
});
