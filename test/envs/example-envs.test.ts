/** The environments in examples/ keep the promises that they teach. */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import catchBall from '../../examples/catch.ts';
import gameLoop from '../../examples/game-loop.ts';
import nim from '../../examples/nim.ts';
import { checkEnv } from '../../src/env/check-env.ts';
import { formatCheckReport } from '../../src/env/check-report.ts';

it.each([
  ['catch', catchBall],
  ['game-loop', gameLoop],
])('%s passes checkEnv without a warning', (_, factory) => {
  const report = checkEnv(factory);
  expect(report.findings, formatCheckReport(report)).toEqual([]);
});

it('nim keeps the promises of an environment of several agents, and is the game of docs/agents.md', () => {
  const report = checkEnv(() => nim());
  expect(report.findings, formatCheckReport(report)).toEqual([]);
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const game = read('examples/nim.ts').replace("'../src/index.ts'", "'operant'");
  expect(read('docs/agents.md')).toContain(game);
  expect(game.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
});
