/** What a runner of several agents is made from; plain data, posted to every worker. */
import type { AgentsLayout } from './agents-layout.ts';
import type { LeaguePlan } from './match-menu.ts';
import type { PolicyPlan, SeatAssignment } from './policy-plan.ts';

export interface AgentsPlan {
  readonly layout: AgentsLayout;
  readonly policies: readonly PolicyPlan[];
  readonly assignment: SeatAssignment;
  /** Self-play: who plays is drawn by episode, and `assignment` is for evaluation; null = `assignment` always. */
  readonly league: LeaguePlan | null;
  /** Of final observations, where there are any, those of lives that terminated, too: curiosity judges what every end led to. Else of truncated ones alone. */
  readonly keepsAllEnds: boolean;
  /** Environments that an evaluation steps side by side in one runner, at most: scratch is reserved for them. */
  readonly maxPlayEnvs: number;
}

/** A seat between two rollouts. */
export interface SeatState {
  /** As `RowField`. */
  readonly fields: readonly number[];
  /** The open step that it takes along; null = none. */
  readonly step: OpenStep | null;
}

export interface OpenStep {
  readonly observation: Float32Array | Uint8Array; // [obsSize]
  readonly mask: Uint8Array; // [maskSize] u8
  readonly criticInput: Float32Array; // [Z] f32
  readonly action: Float32Array | Int32Array; // [A]
  readonly logProb: number;
  readonly value: number;
  readonly tick: number;
}
