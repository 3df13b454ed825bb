import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateSchedule, numberFrom, parseSchedule, scheduleCorners } from '../../src/config/schedule.ts';

describe('evaluateSchedule', () => {
  it('keeps a number constant', () => {
    expect(evaluateSchedule(3e-4, 0, null)).toBe(3e-4);
    expect(evaluateSchedule(3e-4, 1e9, 100)).toBe(3e-4);
  });

  it('goes in a straight line from `from` to `to` over scheduleSteps', () => {
    const linear = { schedule: 'linear', from: 1e-3, to: 0 } as const;
    expect(evaluateSchedule(linear, 0, 100_000)).toBe(1e-3);
    expect(evaluateSchedule(linear, 25_000, 100_000)).toBeCloseTo(7.5e-4, 15);
    expect(evaluateSchedule(linear, 99_999, 100_000)).toBeCloseTo(1e-8, 15);
    expect(evaluateSchedule({ schedule: 'linear', from: 2, to: 6 }, 3, 4)).toBe(5);
  });

  it('goes down half a cosine: flat at both ends, half way in the middle, an eighth where cos says so', () => {
    const cosine = { schedule: 'cosine', from: 1e-3, to: 1e-4 } as const;
    expect(evaluateSchedule(cosine, 0, 1000)).toBe(1e-3);
    expect(evaluateSchedule(cosine, 500, 1000)).toBeCloseTo(5.5e-4, 15);
    expect(evaluateSchedule(cosine, 250, 1000)).toBeCloseTo(1e-4 + 9e-4 * 0.8535533905932737, 15); // (1 + sqrt(1/2)) / 2
    expect(evaluateSchedule(cosine, 1000, 1000)).toBe(1e-4);
    expect(evaluateSchedule(cosine, 1e9, 1000)).toBe(1e-4);
    expect(evaluateSchedule({ schedule: 'cosine', from: 0.7, to: 0.1 }, 0, 3)).toBe(0.7);
    const slope = (step: number) =>
      evaluateSchedule(cosine, step, 1000) - evaluateSchedule(cosine, step + 1, 1000);
    expect(slope(500)).toBeGreaterThan(100 * slope(0));
    expect(scheduleCorners(cosine)).toEqual([1e-3, 1e-4]);
    expect(parseSchedule('cosine:1e-3:1e-4')).toEqual(cosine);
    expect(() => evaluateSchedule(cosine, 0, null)).toThrow('A cosine schedule needs `scheduleSteps`');
  });

  it('is exactly `to` from scheduleSteps on', () => {
    const linear = { schedule: 'linear', from: 0.3, to: 0.1 } as const;
    expect(evaluateSchedule(linear, 7, 7)).toBe(0.1);
    expect(evaluateSchedule(linear, 1e12, 7)).toBe(0.1);
  });

  it('joins points by straight lines and is constant outside of them', () => {
    const points = [
      [10, 1],
      [20, 3],
      [60, -1],
    ] as const;
    const at = (step: number) => evaluateSchedule({ schedule: 'piecewise', points }, step, null);
    expect([0, 10, 15, 20, 30, 40, 60, 99].map(at)).toEqual([1, 1, 2, 3, 2, 1, -1, -1]);
  });

  it('takes a single point as a constant', () => {
    const schedule = { schedule: 'piecewise', points: [[5, 7]] } as const;
    expect([0, 5, 6].map((step) => evaluateSchedule(schedule, step, null))).toEqual([7, 7, 7]);
  });

  it('stays between its corners', () => {
    const steps = fc
      .uniqueArray(fc.nat(1e6), { minLength: 1, maxLength: 6 })
      .map((s) => s.sort((a, b) => a - b));
    const value = fc.double({ min: -10, max: 10, noNaN: true });
    fc.assert(
      fc.property(steps, fc.array(value, { minLength: 6, maxLength: 6 }), fc.nat(2e6), (s, values, step) => {
        const schedule = { schedule: 'piecewise', points: s.map((x, k) => [x, values[k]] as const) } as const;
        const corners = scheduleCorners(schedule);
        const result = evaluateSchedule(schedule, step, null);
        expect(result).toBeGreaterThanOrEqual(Math.min(...corners) - 1e-12);
        expect(result).toBeLessThanOrEqual(Math.max(...corners) + 1e-12);
      }),
    );
  });

  it('refuses a linear schedule without its length', () => {
    expect(() => evaluateSchedule({ schedule: 'linear', from: 1, to: 0 }, 0, null)).toThrow('scheduleSteps');
  });
});

describe('parseSchedule', () => {
  it('reads the three forms', () => {
    expect(parseSchedule('0.001')).toBe(0.001);
    expect(parseSchedule('-1')).toBe(-1);
    expect(parseSchedule('linear:1e-3:0')).toEqual({ schedule: 'linear', from: 1e-3, to: 0 });
    expect(parseSchedule('piecewise:0=1e-3,50_000=1e-4')).toEqual({
      schedule: 'piecewise',
      points: [
        [0, 1e-3],
        [50_000, 1e-4],
      ],
    });
  });

  it.each(['', 'x', 'linear', 'linear:1', 'linear:1:2:3', 'sine:1:0', 'piecewise', '1,2', '1e', '--1', '1_'])(
    'has no schedule for %j',
    (text) => {
      expect(parseSchedule(text)).toBeUndefined();
    },
  );

  it.each(['linear:a:0', 'linear::', 'piecewise:', 'piecewise:1', 'piecewise:0=1=2', 'piecewise:a=1'])(
    'leaves a NaN in %j for the bounds to refuse',
    (text) => {
      expect(JSON.stringify(parseSchedule(text))).toContain('null'); // JSON's NaN
    },
  );
});

describe('numberFrom', () => {
  it.each([
    ['12', 12],
    [' 1e5 ', 1e5],
    ['150_000', 150_000],
    ['-0.5', -0.5],
  ])('reads %j', (text, value) => {
    expect(numberFrom(text)).toBe(value);
  });

  it.each(['', ' ', '1_', '_1', '1__0', '1,5', '5m', 'none'])('gives NaN for %j', (text) => {
    expect(numberFrom(text)).toBeNaN();
  });
});
