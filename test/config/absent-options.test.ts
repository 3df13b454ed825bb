import { expect, test } from 'vitest';
import { parseFlags } from '../../src/cli/flags.ts';
import { PPOConfig } from '../../src/index.ts';

const WHY = /one learner.*`numLearnerThreads`.*docs\/adr\/0007/s;

test('several learners are refused with the reason, under both names, in code and on the command line', () => {
  for (const name of ['numLearners', 'num_learners'])
    expect(() => new PPOConfig().learners({ [name]: 2 } as object)).toThrow(WHY);
  expect(() => parseFlags(['--num-learners', '2'], [])).toThrow(WHY);
});
