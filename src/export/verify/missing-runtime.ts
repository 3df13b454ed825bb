import { EngineError } from '../../errors.ts';

/** @param install what a user may do. */
export function missingRuntime(what: string, install: string, cause?: unknown): EngineError {
  return new EngineError(
    'ENGINE_EXPORT_RUNTIME',
    `The export was written, and verifying it needs ${what}, which is not here: ${install}, or leave out \`verify\`.`,
    { cause },
  );
}
