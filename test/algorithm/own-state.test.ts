/** What a resume makes of state that began as an option said. */
import { expect, it } from 'vitest';
import * as z from 'zod/mini';
import { adaptedState, schedulesState } from '../../src/algorithm/own-state.ts';
import { joinStates } from '../../src/checkpoint/state-part.ts';
import { option } from '../../src/config/option.ts';
import type { Schedule } from '../../src/config/schedule.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import * as kind from '../../src/config/value-kind.ts';
import type { JsonObject } from '../../src/json.ts';

const options = { learningRate: option(kind.schedule({ min: 0 }), { default: 1, doc: 'x.' }) };
const open = (learningRate: Schedule, scheduleSteps: number | null = null) =>
  createSchedules(options, ['learningRate'], { learningRate, scheduleSteps });

/** A checkpoint of a run configured so, in which `change` was done. */
async function saved(learningRate: Schedule, change: (schedules: ReturnType<typeof open>) => void) {
  const schedules = open(learningRate);
  change(schedules);
  const content = await joinStates([schedulesState(schedules)]);
  const config = { training: { learningRate } } as unknown as JsonObject;
  return { ...content, json: { ...content.json, 'config.json': config } };
}

async function resumed(content: Awaited<ReturnType<typeof saved>>, here: ReturnType<typeof open>) {
  await schedulesState(here).readState(content)();
  return here.at(0).learningRate;
}

it('a schedule that was replaced stays replaced, one that the resume gives anew counts', async () => {
  const replaced = await saved(3, (schedules) => schedules.set('learningRate', 7));
  expect(await resumed(replaced, open(3))).toBe(7);
  expect(await resumed(replaced, open(5))).toBe(5);
  const untouched = await saved(3, () => undefined);
  expect(await resumed(untouched, open(3))).toBe(3);
  expect(await resumed(untouched, open(5))).toBe(5);
  const live = open(3); // and one that this very run had replaced goes back
  live.set('learningRate', 9);
  expect(await resumed(untouched, live)).toBe(3);
});

it('a saved schedule that has lost its end is refused before anything changes', async () => {
  const schedules = open(3, 100);
  schedules.set('learningRate', { schedule: 'linear', from: 1, to: 0 });
  const content = await joinStates([schedulesState(schedules)]);
  const here = open(3);
  const config = { training: { learningRate: 3 } } as unknown as JsonObject;
  const read = () =>
    schedulesState(here).readState({ ...content, json: { ...content.json, 'config.json': config } });
  expect(read).toThrow(expect.objectContaining({ code: 'CONFIG_SCHEDULE' }));
});

it('a number that adapts goes on, or begins anew where its option was changed', async () => {
  const parts = (value: number) => {
    let now = value;
    return {
      schema: z.number(),
      getState: () => now,
      setState(state: number) {
        now = state;
      },
    };
  };
  const path = ['training', 'heat'] as const;
  const first = parts(2);
  const part = adaptedState('heat', { path, value: 2 }, first);
  first.setState(0.5);
  const content = await joinStates([part]);
  const json = { ...content.json, 'config.json': { training: { heat: 2 } } };
  for (const [value, expected] of [
    [2, 0.5],
    [4, 4],
  ]) {
    const here = parts(value);
    await adaptedState('heat', { path, value }, here).readState({ ...content, json })();
    expect(here.getState()).toBe(expected);
  }
});
