/** What an off-policy algorithm does with one policy, be it the only one or one among several agents. */
import type { StatePart } from '../checkpoint/state-part.ts';
import type { JsonValue } from '../json.ts';
import type { ObjectiveBatch, ObjectiveLearner, ObjectiveStats } from '../learner/objective-learner.ts';
import type { Metrics } from '../metrics/metric-keys.ts';
import type { Exploration } from '../weights/exploration.ts';
import type { ObservationScaling } from './observation-statistics.ts';

/** What a policy learns with. C = its config: the run's, or one with options of `training` of its own. */
export interface OffPolicyStudentParts<C> {
  /** `default` = the only one: its streams and fields are those of a run with one agent. */
  readonly name: string;
  readonly config: C;
  readonly learner: ObjectiveLearner;
  readonly scaling: ObservationScaling;
  /** What it has seen. */
  readonly transitions: {
    /** Draws a batch. @param importanceExponent read with priorities only. */
    fill(batch: ObjectiveBatch, importanceExponent?: number): void;
    /** Gives the batch drawn last its priorities; nothing without them. */
    after(batch: ObjectiveBatch): void;
    readonly state: readonly StatePart[];
  };
}

/** All of it is counted in environment steps of the run, whoever acts in them. */
export interface OffPolicyStudent {
  /** How it explores in the fragment that begins there. */
  readonly exploration: (numEnvSteps: number) => Exploration;
  /** Makes `numUpdates` updates; the run is at environment step `numEnvSteps`. */
  readonly learn: (numUpdates: number, numEnvSteps: number) => Promise<ObjectiveStats>;
  /** After each round, which took the run from one environment step to another. */
  readonly afterRound?: (before: number, after: number) => void;
  /** Besides `train/<statistic>` of its objective. */
  readonly metrics: (numEnvSteps: number) => Metrics;
  /** Its batches, streams and schedules in a checkpoint. */
  readonly state: readonly StatePart[];
  readonly setSchedule: (name: string, schedule: JsonValue) => void;
}
