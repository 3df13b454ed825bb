import { describe, expect, it } from 'vitest';
import { option } from '../../src/config/option.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import * as kind from '../../src/config/value-kind.ts';

const options = {
  learningRate: option(kind.schedule({ min: 0 }), { default: 1, doc: 'x.' }),
  epsilon: option(kind.schedule({ min: 0, max: 1 }), { default: 1, doc: 'x.' }),
};

function open(scheduleSteps: number | null = 100) {
  const values = { learningRate: 3, epsilon: { schedule: 'linear', from: 1, to: 0 }, scheduleSteps } as const;
  return createSchedules(options, ['learningRate', 'epsilon'], values);
}

describe('schedules', () => {
  it('have their values at a step', () => {
    expect(open().at(25)).toEqual({ learningRate: 3, epsilon: 0.75 });
  });

  it('are replaced by name, and keep that through their state', () => {
    const first = open();
    first.set('learningRate', { schedule: 'linear', from: 2, to: 0 });
    expect(first.at(50)).toEqual({ learningRate: 1, epsilon: 0.5 });
    const second = open();
    second.setState(first.schema.parse(JSON.parse(JSON.stringify(first.getState()))));
    expect(second.at(50)).toEqual(first.at(50));
  });

  it.each([
    ['gamma', 1, /learningRate, epsilon, got `gamma`/],
    ['epsilon', 1.5, /`epsilon` to be a number in \[0, 1\].* got 1\.5/],
    ['learningRate', null, /got null/],
  ])('refuse %s = %s', (name, value, message) => {
    expect(() => open().set(name, value)).toThrow(expect.objectContaining({ code: 'CONFIG_SCHEDULE' }));
    expect(() => open().set(name, value)).toThrow(message);
  });

  it('refuse to become linear over no steps, instead of failing in the next iteration', () => {
    const schedules = createSchedules(options, ['learningRate'], {
      learningRate: 1,
      scheduleSteps: null,
    });
    expect(() => schedules.set('learningRate', { schedule: 'linear', from: 1, to: 0 })).toThrow(
      /scheduleSteps is null/,
    );
    expect(schedules.at(10)).toEqual({ learningRate: 1 });
  });
});
