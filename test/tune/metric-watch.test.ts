/** When a metric that is missing costs a trial, and when the whole study is told. */
import { expect, it } from 'vitest';
import { createMetricWatch } from '../../src/tune/metric-watch.ts';
import type { Job } from '../../src/tune/trial.ts';

const jobOf = (number: number) => ({ trial: { number }, seedIndex: 0, numSteps: 64 }) as Job;
const whyOf = (...keys: string[]) => ({ missing: `there are: ${keys.join(', ')}`, keys });

function watchOf(metric: string, isKnown: boolean) {
  const failed: number[] = [];
  const errors: string[] = [];
  const watch = createMetricWatch(
    { folder: 'study', metric, isKnown },
    ({ trial }) => failed.push(trial.number),
    ({ code, message }) => errors.push(`${code}: ${message}`),
  );
  return { watch, failed, errors };
}

it('ends the study at the third run without it, while none had it, and fails no trial', () => {
  const { watch, failed, errors } = watchOf('train/policyLos', false);
  const why = whyOf('train/policyLoss', 'train/entropy');
  watch.lacks(jobOf(0), why);
  watch.lacks(jobOf(2), why);
  expect(errors).toEqual([]);
  watch.lacks(jobOf(1), why);
  watch.lacks(jobOf(3), why);
  expect(failed).toEqual([]);
  expect(errors).toEqual([
    "CONFIG_METRIC: Expected `metric` to be a metric of the runs' logs, got 'train/policyLos': at their end the first 3 runs have no `train/policyLos`. " +
      'Did you mean `train/policyLoss`? There are: train/policyLoss, train/entropy. What was trained is kept, and counts under the right name: `operant tune --resume study --metric NAME` (`metric` of `resumeStudy`).',
  ]);
});

it('ends it at the first one, where nothing else can begin', () => {
  const { watch, errors } = watchOf('x', false);
  watch.lacks(jobOf(0), whyOf());
  watch.idle();
  expect(errors).toEqual([expect.stringMatching(/the first run has no `x`\. There are: none\./)]);
});

it('fails those without it once one has it, and from then on at once', () => {
  const { watch, failed, errors } = watchOf('train/loss', false);
  watch.lacks(jobOf(0), whyOf('a'));
  watch.lacks(jobOf(1), whyOf('a'));
  expect(failed).toEqual([]);
  watch.found();
  expect(failed).toEqual([0, 1]);
  for (const number of [2, 3, 4, 5]) watch.lacks(jobOf(number), whyOf('a'));
  watch.idle();
  expect([failed, errors]).toEqual([[0, 1, 2, 3, 4, 5], []]);
});

it('fails them at once where the journal has a score', () => {
  const { watch, failed, errors } = watchOf('train/loss', true);
  for (const number of [0, 1, 2]) watch.lacks(jobOf(number), whyOf('a'));
  expect([failed, errors]).toEqual([[0, 1, 2], []]);
});

it.each([
  ['evaluation', ['train/loss'], /evaluationInterval/],
  [
    'evaluation/episodeReturnMea',
    ['evaluation/episodeReturnMean'],
    /Did you mean `evaluation\/episodeReturnMean`/,
  ],
  ['episodeReturnMean', ['train/loss'], /No episode ended: trials \(`trialSteps`\)/],
  ['auc:episodeReturnMean', ['train/loss'], /no `rollout\/episodeReturnMean`\. No episode ended/],
])('says what to do about %s', (metric, keys, advice) => {
  const { watch, errors } = watchOf(metric, false);
  watch.lacks(jobOf(0), whyOf(...keys));
  watch.idle();
  expect(errors).toEqual([expect.stringMatching(advice)]);
});
