/** The environments in examples/ keep the promises that they teach. */
import { expect, it } from 'vitest';
import catchBall from '../../examples/catch.ts';
import gameLoop from '../../examples/game-loop.ts';
import { checkEnv, formatCheckReport } from '../../src/env/check-env.ts';

it.each([
  ['catch', catchBall],
  ['game-loop', gameLoop],
])('%s passes checkEnv without a warning', (_, factory) => {
  const report = checkEnv(factory);
  expect(report.findings, formatCheckReport(report)).toEqual([]);
});
