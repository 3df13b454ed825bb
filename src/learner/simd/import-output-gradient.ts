/** Every thread makes its own output gradient, from a module URL: functions cannot be posted. */
import { EngineError } from '../../errors.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import type { CreateOutputGradient, OutputGradient, OutputGradientSource } from '../output-gradient.ts';
import { MAX_SCALARS, MAX_STATS } from './control.ts';

function check(condition: boolean, source: OutputGradientSource, problem: string, cause?: unknown): void {
  if (condition) return;
  throw new EngineError(
    'ENGINE_OUTPUT_GRADIENT',
    `Cannot use output gradient \`${source.export}\` of ${source.module}: ${problem}.`,
    { cause },
  );
}

/** @throws EngineError `ENGINE_OUTPUT_GRADIENT` when the module, its export or what it makes cannot be used. */
export async function importOutputGradient(
  source: OutputGradientSource,
  spec: PolicySpec,
): Promise<OutputGradient> {
  let exports: Record<string, unknown> = {};
  try {
    exports = (await import(/* @vite-ignore */ source.module)) as Record<string, unknown>;
  } catch (cause) {
    check(
      false,
      source,
      `the module does not load (${cause instanceof Error ? cause.message : cause})`,
      cause,
    );
  }
  const create = exports[source.export];
  check(typeof create === 'function', source, `expected a function, got ${typeof create}`);
  const gradient = (create as CreateOutputGradient)(spec, source.options);
  const { scalarNames, statNames } = gradient;
  check(statNames.length <= MAX_STATS, source, `at most ${MAX_STATS} statistics, got ${statNames.length}`);
  check(
    scalarNames.length <= MAX_SCALARS,
    source,
    `at most ${MAX_SCALARS} scalars, got ${scalarNames.length}`,
  );
  return gradient;
}
