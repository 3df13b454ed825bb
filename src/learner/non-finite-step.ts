/** What both engines say of a step that met numbers which are not finite. */
import { EngineError } from '../errors.ts';
import type { ObjectiveStep } from './objective.ts';

/** What a step reports, in this order: its statistics, then its groups' gradient norms before clipping. */
export function reportedNames({ stats, groups }: ObjectiveStep): readonly string[] {
  return [...stats, ...groups.map((group) => `gradNorm/${group}`)];
}

/** @param index of the number among {@link reportedNames}. @param update of the call, from 0. @param causes what the batch held. */
export function nonFiniteStepError(
  step: ObjectiveStep,
  index: number,
  value: number,
  update: number,
  causes: string,
): EngineError {
  return new EngineError(
    'ENGINE_NON_FINITE',
    `Expected finite numbers, got ${reportedNames(step)[index]} = ${value} in step ${step.name} of update ${update}. ` +
      `The step was not applied. ${causes}`,
  );
}
