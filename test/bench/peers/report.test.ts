/** The report says what the records show: who is ahead, by how much, and which aims are met. */
import { describe, expect, test } from 'vitest';
import { compare, judge, peersAhead } from '../../../bench/peers/comparisons.ts';
import { drawGrowth } from '../../../bench/peers/growth.ts';
import { peersReport } from '../../../bench/peers/report.ts';
import type { Results, RunRecord } from '../../../bench/peers/results.ts';
import { readmeBlock, withBlock } from '../../../bench/readme-block.ts';

const machine = {
  ...{ cpu: 'a processor', numCores: 2, memoryGib: 8, system: 'linux', node: 'v20', operant: '1.0.0' },
  ...{ commit: 'abc1234', date: '2026-01-01' },
};

const run = (rest: Partial<RunRecord>): RunRecord => ({
  ...{
    workload: 1,
    contestant: 'operant',
    variant: '',
    seed: 0,
    purpose: 'timing',
    commit: 'abc1234',
    cpu: 'A',
  },
  ...{ load: 0.5, wallSeconds: 1, answer: {} },
  ...rest,
});

/** A run of workload 1 to its end. */
const trained = (contestant: RunRecord['contestant'], seed: number, seconds: number, rest = {}): RunRecord =>
  run({ contestant, seed, answer: { envSteps: 100_000, seconds, sinceStart: seconds + 1 }, ...rest });

const resultsOf = (...records: RunRecord[]): Results => ({
  ...{ machine, peers: [], threads: {}, records },
  costs: { 1: { seconds: 4, costs: [{ category: 'kernels', seconds: 3 }] } },
});

describe('comparisons', () => {
  test('ratios are taken seed by seed, whatever the order of the records', () => {
    const records = [
      trained('sb3', 1, 60),
      trained('operant', 0, 4),
      trained('operant', 1, 3),
      trained('sb3', 0, 40),
    ];
    expect(compare(records).map(({ ratios }) => [...ratios].sort())).toEqual([[10, 20]]);
  });

  test('learning runs and runs that failed do not count for speed', () => {
    const failed = trained('sb3', 1, 1, { answer: { error: 'no', envSteps: 100_000, seconds: 1 } });
    const learning = trained('sb3', 0, 1, { purpose: 'learning' });
    expect(compare([trained('operant', 0, 4), trained('operant', 1, 4), learning, failed])).toEqual([]);
  });

  test('RLtools on one core is held against ours on one and on all', () => {
    const of = (contestant: RunRecord['contestant'], variant: string, seconds: number) =>
      run({ workload: 3, contestant, variant, answer: { envSteps: 303_104, seconds } });
    const found = compare([
      of('operant', 'all cores', 2),
      of('operant', 'one core', 4),
      of('rltools-1', '', 1),
    ]);
    expect(found.map(({ ours, ratios }) => [ours, ...ratios])).toEqual([
      ['Operant, one core', 0.25],
      ['Operant, all cores', 0.5],
    ]);
    expect(peersAhead(found)).toEqual([
      'Workload 3, steps/s: RLtools, one core is ahead of Operant, one core, by 4 times.',
      'Workload 3, steps/s: RLtools, one core is ahead of Operant, all cores, by 2 times.',
    ]);
  });

  test("APPO's peers are held against both of our lags", () => {
    const of = (contestant: RunRecord['contestant'], variant: string, seconds: number) =>
      run({
        workload: 20,
        contestant,
        variant,
        answer: { envSteps: 200_192, seconds, cpuSeconds: 2 * seconds },
      });
    const records = [of('operant', 'lag 1', 2), of('operant', 'lag free', 1), of('sample-factory', '', 10)];
    expect(compare(records).map(({ what, ours, ratios }) => [what, ours, ...ratios])).toEqual(
      ['steps/s', 'steps per processor second'].flatMap((what) => [
        [what, 'Operant, lag 1', 5],
        [what, 'Operant, lag free', 10],
      ]),
    );
  });

  test('a run that was cut short is projected to all steps, and the report says so', () => {
    const whole = { envSteps: 1_000_000, seconds: 40, ready: 1, sinceStart: 41 };
    const cut = { envSteps: 50_000, seconds: 49, ready: 2, sinceStart: 51 };
    const records = [
      run({ workload: 21, answer: whole }),
      run({ workload: 21, contestant: 'sb3-physics', variant: 'one thread', answer: cut }),
    ];
    const found = compare(records).find(({ what }) => what === 'wall clock of all steps');
    expect(found?.ratios).toEqual([982 / 41]); // 2 s, and 1,000,000 steps of 49 / 50,000 s
    const rows = peersReport(resultsOf(...records)).split('\n');
    expect(rows.find((row) => row.startsWith('| Operant |'))).toContain('| 41 |');
    expect(rows.find((row) => row.startsWith('| Stable-Baselines3 (Box2D, MuJoCo), one'))).toContain(
      '| 982, projected | 24 |',
    );
  });
});

test('an aim is met, missed or not measured', () => {
  const verdict = (seconds: number) =>
    judge(resultsOf(trained('operant', 0, 4), trained('sb3', 0, seconds))).map(({ isMet }) => isMet)[0];
  expect(verdict(60)).toBe(true);
  expect(verdict(59)).toBe(false);
  expect(judge(resultsOf())[0]).toMatchObject({ isMet: null, found: 'not measured' });
});

test("an off-policy aim is held against whichever of a peer's runs is closest, on one core or on all", () => {
  const of = (contestant: RunRecord['contestant'], variant: string, seconds: number) =>
    run({ workload: 10, contestant, variant, answer: { envSteps: 50_000, seconds } });
  const verdict = (onOne: number, onAll: number) =>
    judge(
      resultsOf(
        of('operant', 'all cores', 10),
        of('operant', 'one core', 10),
        of('sb3', 'one core', onOne),
        of('sb3', 'all cores', onAll),
      ),
    ).find(({ aim }) => aim.includes('6 times Stable'));
  expect(verdict(61, 70)).toMatchObject({ isMet: true, found: '6.1' });
  expect(verdict(59, 70)).toMatchObject({ isMet: false, found: '5.9' });
  expect(verdict(70, 59)).toMatchObject({ isMet: false, found: '5.9' });
});

test('a seed of ours that was not solved counts against the aim of workload 5', () => {
  const solves = (...solved: boolean[]) =>
    solved.map((isSolved, seed) => run({ workload: 5, seed, answer: { solved: isSolved, seconds: 2 } }));
  const verdict = (...solved: boolean[]) =>
    judge(resultsOf(...solves(...solved))).find(({ workload }) => workload === 5);
  expect(verdict(true, true, false)?.isMet).toBe(true);
  expect(verdict(true, false, false)).toMatchObject({ isMet: false, found: '∞ (2 to ∞)' });
});

test('returns count from every kind of round, once for each seed, and only of runs that went to their end', () => {
  const returns = (mean: number) => ({ envSteps: 100_000, seconds: 4, returns: [mean, mean] });
  const cut = run({ contestant: 'sb3', seed: 2, answer: { envSteps: 50_000, seconds: 4, returns: [1] } });
  const report = peersReport(
    resultsOf(
      run({ seed: 0, answer: returns(400) }),
      run({ seed: 0, purpose: 'learning', answer: returns(400) }),
      run({ seed: 1, purpose: 'learning', answer: returns(500) }),
      run({ contestant: 'sb3', seed: 0, answer: returns(500) }),
      cut,
    ),
  );
  const rows = report.split('\n');
  expect(rows.find((row) => row.startsWith('| Operant |'))).toMatch(
    /\| 450\.0 \[400\.0, 500\.0\] \| {2}\| 2 \|$/,
  );
  expect(rows.find((row) => row.startsWith('| Stable-Baselines3 |'))).toMatch(
    /\| 500\.0 \[500\.0, 500\.0\] \| {2}\| 1 \|$/,
  );
  expect(report).toContain('kernels 3 s (75%)');
});

test("a seed's return counts once in the README's block, too", () => {
  const answer = (mean: number) => ({ envSteps: 100_000, seconds: 4, returns: [mean] });
  const block = readmeBlock(
    resultsOf(
      run({ seed: 0, answer: answer(400) }),
      run({ seed: 0, purpose: 'learning', answer: answer(400) }),
      run({ seed: 1, answer: answer(500) }),
      run({ contestant: 'sb3', seed: 0, answer: answer(300) }),
    ),
    { machine, rows: [] },
  );
  expect(block).toContain('; final return 450.0, Stable-Baselines3 300.0 |');
});

test("the README's block tells where a peer is ahead and which aim is missed, and leaves the rest alone", () => {
  const block = readmeBlock(resultsOf(trained('operant', 0, 4), trained('sb3', 0, 2)), { machine, rows: [] });
  expect(block).toContain('| 25,000 steps/s | Stable-Baselines3 50,000: 0.5 times |');
  expect(block).toContain('Stable-Baselines3 is ahead of Operant, by 2 times.');
  expect(block).toContain("at least 15 times Stable-Baselines3's steps/s; found 0.5.");
  const readme = 'a\n<!-- benchmarks: begin -->\nold\n<!-- benchmarks: end -->\nb\n';
  expect(withBlock(readme, 'new')).toBe('a\n<!-- benchmarks: begin -->\nnew\n<!-- benchmarks: end -->\nb\n');
  expect(() => withBlock('nothing', 'new')).toThrow('benchmarks: begin');
});

test('growth is drawn from the medians of workload 9, and from nothing else', () => {
  const speed = (variant: string, seed: number, seconds: number) =>
    run({ workload: 9, variant, seed, answer: { envSteps: 1000, seconds } });
  expect(drawGrowth([trained('operant', 0, 4)])).toBeNull();
  const records = [speed('width 32', 0, 1), speed('width 64', 0, 2), speed('width 64', 1, 4)];
  const picture = drawGrowth(records) ?? '';
  expect(picture).toContain('by width of two hidden layers');
  expect(picture).not.toContain('by workers');
  const points = /<polyline[^>]*points="([^"]+)"/.exec(picture)?.[1].split(' ') ?? [];
  expect(points).toHaveLength(2);
  const [[x32, y32], [x64, y64]] = points.map((point) => point.split(',').map(Number));
  expect((x64 - 58) / (x32 - 58)).toBeCloseTo(2, 1); // its axis begins at 0
  expect(y64).toBeGreaterThan(y32); // slower: lower in the picture
});
