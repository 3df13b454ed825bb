/** What a vector environment is told and asked so that a failed environment can be brought back. */
import type { JsonValue } from '../json.ts';
import type { EnvFaultHandling } from './env-faults.ts';
import type { ActionArray, ObservationArray, StepRows } from './vector-env.ts';

export interface Recovery {
  readonly handling: EnvFaultHandling;
  readonly rebuild: (n: number, failure: unknown) => void;
  /** An episode begins, or goes on from a state; its row has been written. */
  onBegin(n: number, state: JsonValue, out: StepRows): void;
  /** A step was taken and written. */
  onStep(n: number, actions: ActionArray, out: StepRows): void;
  /** Steps were repeated, [numSteps, actionSize]; the row has been written. */
  onReplay(n: number, actions: ActionArray, numSteps: number, out: StepRows): void;
  /** Repeats the episode of a fresh instance. @returns false when that led elsewhere. */
  bringBack(n: number, seed: number): boolean;
  copyLastObservation(n: number, to: ObservationArray, offset: number): void;
}
