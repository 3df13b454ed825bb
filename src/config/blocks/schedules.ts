/** How long linear and cosine schedules run; an algorithm with schedules has this in one of its sections. */
import { type Declarations, option, type ResolvedConfig } from '../option.ts';
import { conflict, type Problem } from '../problems.ts';
import type { CosineSchedule, LinearSchedule } from '../schedule.ts';
import * as kind from '../value-kind.ts';

export const scheduleOptions = {
  scheduleSteps: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    unit: 'environment steps',
    doc: 'Length of linear and cosine schedules; required by them.',
  }),
};

/** A linear or cosine schedule has to know where it ends. */
export function checkSchedules(config: ResolvedConfig<Declarations>): readonly Problem[] {
  const sections = Object.values(config);
  const home = sections.find((section) => Object.hasOwn(section, 'scheduleSteps')); // names are unique over all sections
  if (home !== undefined && home.scheduleSteps !== null) return [];
  return sections.flatMap((section) =>
    Object.entries(section).flatMap(([name, value]) => {
      if (!isRunning(value)) return [];
      return conflict(
        `${name} is a ${value.schedule} schedule (${value.from} to ${value.to}), but scheduleSteps is null: set scheduleSteps to the ` +
          'environment steps over which it runs.',
      );
    }),
  );
}

function isRunning(value: unknown): value is LinearSchedule | CosineSchedule {
  const { schedule } = Object(value) as { readonly schedule?: unknown };
  return schedule === 'linear' || schedule === 'cosine';
}
