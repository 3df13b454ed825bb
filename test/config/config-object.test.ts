import { describe, expect, it } from 'vitest';
import { readConfigObject } from '../../src/config/config-object.ts';
import { PPOConfig } from '../../src/index.ts';

describe('a whole configuration as an object', () => {
  it('comes apart into algorithm, tuned defaults and sections', () => {
    const content = { algorithm: 'ppo', tuned: true, history: [], training: { gamma: 0.9 } };
    expect(readConfigObject(content, 'x.json')).toEqual({
      algorithm: 'ppo',
      isTuned: true,
      sections: { training: { gamma: 0.9 } },
    });
  });

  it.each([
    ['a list', [], 'hold an object of sections'],
    ['text', 'ppo', 'hold an object of sections'],
    [
      'a number as algorithm',
      { algorithm: 3 },
      "Expected `algorithm` of x.json to be a name such as 'ppo', got `3` (number)",
    ],
    ['text as tuned', { tuned: 'yes' }, 'Expected `tuned` of x.json to be true or false, got `yes` (string)'],
    ['null as tuned', { tuned: null }, 'true or false, got `null`'],
  ])('refuses %s by name', (_, content, message) => {
    expect(() => readConfigObject(content, 'x.json')).toThrowError(
      expect.objectContaining({ code: 'CONFIG_FILE', message: expect.stringContaining(message) }),
    );
  });
});

it('stop conditions that look at evaluations are refused where there are none, each by name', () => {
  const stopping = { stopEvaluationReturn: 400, stopEvaluationPatience: 3 };
  const config = new PPOConfig().environment('CartPole-v1').stopping(stopping);
  expect(() => config.validate()).toThrow(
    /stopEvaluationReturn \(400\)[^\n]*evaluationInterval[^\n]*\nstopEvaluationPatience \(3\)/,
  );
  expect(() => config.evaluation({ evaluationInterval: 2 }).validate()).not.toThrow();
});
