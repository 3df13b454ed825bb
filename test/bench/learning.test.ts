import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blackjackReturn } from '../../bench/learning/blackjack-return.ts';
import { greedy2048Action } from '../../bench/learning/players.ts';
import { judge, learningReport, standing } from '../../bench/learning/report.ts';
import { keepRun, type Row, readResults, withRun } from '../../bench/learning/results.ts';
import type { SeedRun } from '../../bench/learning/run-seed.ts';
import { describeMachine } from '../../bench/machine.ts';
import { deviation, mean } from '../../bench/statistics.ts';
import { blackjackKernel } from '../../envs/blackjack.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const run = (seed: number, finalMean: number, commit = 'abc'): SeedRun => ({
  seed,
  commit,
  load: [0.5, 1.5],
  curve: [{ steps: 1000, evaluation: finalMean, training: null }],
  trainingSolved: null,
  evaluationSolved: { steps: 1000 * (seed + 1), seconds: seed + 1 },
  final: { mean: finalMean, std: 1, numEpisodes: 100 },
  envSteps: 1000,
  seconds: 2,
  cpuSeconds: 1.5,
});
const CART_POLE = { algorithm: 'ppo', env: 'CartPole-v1', threshold: 475, budget: 1000 };

describe('blackjackReturn', () => {
  it('agrees with hands that are played', () => {
    const kernel = blackjackKernel(1, {});
    const returns = Array.from({ length: 40_000 }, (_, seed) => {
      kernel.reset(0, seed);
      const observation = new Float32Array(45);
      do {
        kernel.writeObservation(0, observation, 0);
        kernel.step(0, Int32Array.of(observation.indexOf(1) < 17 ? 1 : 0), 0);
      } while (kernel.terminated[0] === 0);
      return kernel.rewards[0];
    });
    const error = deviation(returns) / Math.sqrt(returns.length);
    expect(Math.abs(mean(returns) - blackjackReturn((sum) => sum < 17))).toBeLessThan(3 * error);
  });

  it('is best for the best policy', () => {
    const best = blackjackReturn();
    for (const limit of [12, 14, 16, 17, 19]) {
      expect(blackjackReturn((sum) => sum < limit)).toBeLessThan(best);
    }
    // Sutton and Barto's figure 5.2: stick from 17, or 13 against 2 to 6 (12 against 4 to 6), from 18 with a usable ace (19 against 9, 10, ace).
    const figure = blackjackReturn((sum, usableAce, open) => {
      if (usableAce) return sum < (open === 1 || open >= 9 ? 19 : 18);
      if (open >= 4 && open <= 6) return sum < 12;
      return sum < (open === 2 || open === 3 ? 13 : 17);
    });
    expect(figure).toBeCloseTo(best, 3);
    expect(figure).toBeLessThanOrEqual(best + 1e-12);
  });
});

it('the greedy player of 2048 takes the largest merge', () => {
  const board = (...rows: number[][]) => rows.flat();
  const empty = [0, 0, 0, 0];
  expect(greedy2048Action(board([1, 1, 3, 0], [2, 0, 3, 0], empty, empty))).toBe(0); // 16 upwards, 4 to a side
  expect(greedy2048Action(board([4, 4, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], empty))).toBe(1); // 32 to a side, 4 upwards
  expect(greedy2048Action(board([1, 0, 0, 0], empty, empty, empty))).toBe(1); // upwards changes nothing
});

describe('what is kept', () => {
  const rows: readonly Row[] = [{ ...CART_POLE, runs: [run(0, 500), run(2, 490)] }];
  const seedsOf = (changed: readonly Row[]) => changed.map(({ runs }) => runs.map(({ seed }) => seed));

  it('puts a seed in its place, and a new environment at the end', () => {
    expect(seedsOf(withRun(rows, CART_POLE, run(1, 480)))).toEqual([[0, 1, 2]]);
    expect(seedsOf(withRun(rows, { ...CART_POLE, env: 'Acrobot-v1' }, run(0, -80)))).toEqual([[0, 2], [0]]);
  });

  it('replaces a run, and drops those of another budget', () => {
    const again = withRun(rows, CART_POLE, run(2, 495));
    expect(again[0].runs.map(({ final }) => final.mean)).toEqual([500, 495]);
    expect(seedsOf(withRun(rows, { ...CART_POLE, budget: 2000 }, run(1, 480)))).toEqual([[1]]);
  });

  it('names the machine that ran, wherever it is read', () => {
    const path = join(temporaryFolder(), 'learning.json');
    const elsewhere = { ...describeMachine(), cpu: 'another processor' };
    writeFileSync(path, JSON.stringify({ machine: elsewhere, rows }));
    expect(readResults(path).machine.cpu).toBe('another processor');
    keepRun(path, CART_POLE, run(1, 480));
    expect(readResults(path)).toMatchObject({ machine: describeMachine(), rows: [{ runs: { length: 3 } }] });
  });
});

describe('the report', () => {
  const reference = { zoo: { mean: 500, std: 0, steps: 100_000 }, margin: 5, why: 'for a test' };

  it('holds the lower end against the published mean less the margin', () => {
    expect(judge([500, 500, 500], reference)).toMatchObject({ low: 500, least: 495, isAbove: true });
    const verdict = judge([500, 500, 480], reference);
    expect(verdict.low).toBeLessThan(mean([500, 500, 480]));
    expect(verdict.isAbove).toBe(false);
  });

  it('says how our interval lies to the best published mean', () => {
    const two = {
      ...reference,
      zoo: { mean: 90, std: 0, steps: 1 },
      cleanrl: { mean: 100, std: 0, steps: 1 },
    };
    expect(standing([99, 101], two)).toBe('level');
    expect(standing([95, 99], two)).toBe('worse');
    expect(standing([101, 102], two)).toBe('better');
    const { zoo: _, ...unpublished } = reference;
    const optimum = () => ({ mean: -13, what: 'best possible' });
    expect(standing([-13, -13], { ...unpublished, bar: optimum })).toBe('level');
  });

  it("says where Student's wider interval falls short alone", () => {
    const runs = [496, 497, 498, 500, 496].map((score, seed) => run(seed, score));
    const text = learningReport({ machine: describeMachine(), rows: [{ ...CART_POLE, runs }] });
    expect(text).toMatch(/496\.\d is not below 495\.0 \| worse \|/);
    // 497.4 and 2.776 sqrt(2.8 / 5): 4 degrees of freedom
    expect(text).toContain('t [495.3, 499.5] | 5 |');
    const close = [494.8, 496, 496, 495.6, 495.1].map((score, seed) => run(seed, score));
    expect(learningReport({ machine: describeMachine(), rows: [{ ...CART_POLE, runs: close }] })).toContain(
      "is not below 495.0; by Student's t 494.8 is |",
    );
  });

  it('names tuned settings that have no row, or one of other settings', () => {
    const results = {
      machine: describeMachine(),
      rows: [{ ...CART_POLE, runs: [run(0, 500), run(1, 500)] }],
    };
    const tuned = [CART_POLE, { ...CART_POLE, env: 'Swimmer-v5' }, { ...CART_POLE, algorithm: 'a2c' }];
    expect(learningReport(results, tuned)).toContain(
      'not measured yet over several seeds: PPO Swimmer-v5, A2C CartPole-v1.',
    );
    expect(learningReport(results, [CART_POLE])).not.toMatch(/not measured|earlier settings/);
    expect(learningReport(results, [{ ...CART_POLE, budget: 2000 }])).toContain(
      'Rows of earlier settings, not measured again yet: PPO CartPole-v1 (2,000 steps now).',
    );
  });

  it('says what falls short, at which load, after how many steps', () => {
    const text = learningReport({
      machine: {
        cpu: 'a processor',
        numCores: 2,
        memoryGib: 8,
        system: 'linux 6',
        node: 'v20',
        operant: '0.1.0',
        commit: 'abc',
        date: '2026-01-01',
      },
      rows: [{ ...CART_POLE, runs: [run(0, 500), run(1, 400)] }],
    });
    expect(text).toContain('400.0 is BELOW 495.0 |');
    expect(text).toContain('load averages of 0.5 to 1.5');
    expect(text).toContain('2 of 2: 1,500 steps (at most 2,000), 1.5 s');
    expect(text).toContain('| 1 of 2 |');
  });
});
