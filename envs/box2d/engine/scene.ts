/** What a world is made of: ground, bodies, hinges between them, and contacts between bodies and ground. Bodies never touch each other. */
import type { Body } from './body.ts';
import type { Ground } from './ground.ts';
import type { Manifold } from './manifold.ts';
import type { SolverRecord } from './solver-memory.ts';

/** A piece of ground and a body whose boxes meet. */
export interface Contact {
  piece: number;
  /** Index in the world's list. */
  body: number;
  friction: number;
  isTouching: boolean;
  /** Not after an impact that was none. */
  isEnabled: boolean;
  /** Share of the step at which they meet, 1 = they do not, and whether that is known. */
  impact: number;
  isImpactKnown: boolean;
  numImpacts: number;
  /** In the island of an impact. */
  isMet: boolean;
  readonly manifold: Manifold;
  /** What the solver has of it in this step. */
  record: SolverRecord;
}

/** Two bodies joined in a point, with a motor between two limits. */
export interface Hinge {
  readonly a: Body;
  readonly b: Body;
  /** Where their velocities are in the solver's state. */
  readonly velocityA: number;
  readonly velocityB: number;
  /** In the frames of the bodies. */
  readonly anchorA: readonly [x: number, y: number];
  readonly anchorB: readonly [x: number, y: number];
  /** Angle of B less that of A where the hinge stands at 0, rad. */
  readonly reference: number;
  readonly lower: number;
  readonly upper: number;
  /** rad/s */
  motorSpeed: number;
  /** N m */
  maxTorque: number;
  /** Which limit it is at: -1 the lower, 1 the upper, 0 none. */
  limit: number;
  /** Of the last step: of the point along x and y, of the limit, of the motor. */
  readonly impulses: Float64Array; // [NUM_HINGE_IMPULSES] f64
  /** What the solver has of it, which is every world's in turn. */
  readonly record: SolverRecord;
  /** Where its impulses are in the solver's state. */
  readonly impulsesAt: number;
}

export interface World {
  readonly gravity: number; // m/s^2
  readonly ground: Ground;
  /** In the order in which Box2D's island comes upon them; so are the hinges. */
  readonly bodies: readonly Body[];
  readonly hinges: readonly Hinge[];
  /** Of each body, the how manieth it was made. */
  readonly ranks: readonly number[];
  /** Oldest first. */
  readonly contacts: Contact[];
  /** Those that the solver holds, in its order. */
  readonly held: Contact[];
  /** Contacts that are over, to be used again. */
  readonly spare: Contact[];
  /** Called when a body begins or ends to touch a piece of ground. */
  readonly onTouch: (body: number, isTouching: boolean) => void;
}
