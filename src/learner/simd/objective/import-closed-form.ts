/** Every thread opens the closed form for itself, from a module URL: functions cannot be posted. */
import { EngineError } from '../../../errors.ts';
import type { ModelSpec } from '../../../policy/networks/model.ts';
import type { ClosedFormSource, CreateClosedForm, OpenObjective } from '../../objective.ts';

/** @throws EngineError `ENGINE_CLOSED_FORM` when the module or its export cannot be used. */
export async function importClosedForm(source: ClosedFormSource, model: ModelSpec): Promise<OpenObjective> {
  const refuse = (problem: string, cause?: unknown) =>
    new EngineError(
      'ENGINE_CLOSED_FORM',
      `Cannot use the closed form \`${source.export}\` of ${source.module}: ${problem}.`,
      { cause },
    );
  let exports: Record<string, unknown>;
  try {
    exports = (await import(/* @vite-ignore */ source.module)) as Record<string, unknown>;
  } catch (cause) {
    throw refuse(`the module does not load (${cause instanceof Error ? cause.message : cause})`, cause);
  }
  const create = exports[source.export];
  if (typeof create !== 'function') throw refuse(`expected a function, got ${typeof create}`);
  return (create as CreateClosedForm)(model, source.options);
}
