/** Which fields of a spec the plain forward passes know. */
import { EngineError } from '../../errors.ts';
import type { ActingSpec } from '../policy-spec.ts';

/** Of a spec and of its network, whichever kind. */
const FIELDS =
  'observationSize observationDtype observationShape actionMaskSize network distribution actorOnly normalizeObservations clipObservation initialization kind hiddenSizes activation shared layerNorm layers module export options'.split(
    ' ',
  );

/**
 * Refuses what would otherwise be left out of the computation: whatever a later Operant may have put into a spec (recurrent state, noisy
 * layers).
 *
 * @param what for the message: `operant/policy`, an export.
 * @throws EngineError `ENGINE_NETWORK`.
 */
export function assertKnownSpec(spec: ActingSpec, what: string): void {
  const odd = Object.keys({ ...spec, ...spec.network }).find((name) => !FIELDS.includes(name));
  if (odd === undefined) return;
  const message = `${what} does not cover policies with \`${odd}\` yet. Use \`loadPolicy\` of 'operant', or a newer Operant.`;
  throw new EngineError('ENGINE_NETWORK', message);
}
