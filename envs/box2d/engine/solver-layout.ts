/**
 * Where the velocity solver finds what it works on, in one memory: the state, then a record for each hinge, then one for each contact.
 * Numbers are float64; a record ends with three integers that say where in the state it has its velocities and impulses.
 */

/** Of a hinge in a step. */
export const HINGE = {
  inverseMassA: 0,
  inverseMassB: 1,
  inverseInertiaA: 2,
  inverseInertiaB: 3,
  /** From the centres of mass to the hinge. */
  armAX: 4,
  armAY: 5,
  armBX: 6,
  armBY: 7,
  motorMass: 8,
  motorSpeed: 9,
  maxImpulse: 10,
  /** -1 at the lower one, 1 at the upper one, 0 at none. */
  limit: 11,
  k11: 12,
  k12: 13,
  k13: 14,
  k22: 15,
  k23: 16,
  k33: 17,
  /** Cross product of the second and the third column of K. */
  crossX: 18,
  crossY: 19,
  crossZ: 20,
  /** One over the determinant, of all three rows and of the first two. */
  scale3: 21,
  scale2: 22,
} as const;
const NUM_HINGE_NUMBERS = 23;

/** Of a contact in a step. */
export const CONTACT = {
  normalX: 0,
  normalY: 1,
  inverseMass: 2,
  inverseInertia: 3,
  friction: 4,
  /** Of the first point: its place from the centre of mass, and the mass that an impulse there moves. */
  armX: 5,
  armY: 6,
  normalMass: 7,
  tangentMass: 8,
  /** What an impulse at one point does to the velocity at another, and the inverse of that. */
  k11: 13,
  k12: 14,
  k22: 15,
  inverse11: 16,
  inverse12: 17,
  inverse22: 18,
} as const;
/** The second point of a contact lies so much behind the first one. */
export const POINT_SIZE = 4;
const NUM_CONTACT_NUMBERS = 19;

export const NUM_LINKS = 3;
const recordSize = (numNumbers: number) => 8 * (numNumbers + 2); // bytes; the integers take the place of two numbers
export const HINGE_SIZE = recordSize(NUM_HINGE_NUMBERS);
export const CONTACT_SIZE = recordSize(NUM_CONTACT_NUMBERS);
export const HINGE_LINKS = 8 * NUM_HINGE_NUMBERS;
export const CONTACT_LINKS = 8 * NUM_CONTACT_NUMBERS;

/** In the state: 3 a body, x, y and spin; 4 a hinge, the point's impulse, the limit's and the motor's; 4 a contact, along and across the normal of each point. */
export const NUM_HINGE_IMPULSES = 4;
export const NUM_CONTACT_IMPULSES = 4;

const MAX_BODIES = 8;
export const MAX_HINGES = 7;
export const MAX_CONTACTS = 128;
const MAX_STATE = 3 * MAX_BODIES + NUM_HINGE_IMPULSES * MAX_HINGES + NUM_CONTACT_IMPULSES * MAX_CONTACTS;

/** Addresses, in bytes. The state is at 0. */
export const KEPT_AT = 8 * MAX_STATE;
export const HINGES_AT = 2 * KEPT_AT;
export const CONTACTS_AT = HINGES_AT + MAX_HINGES * HINGE_SIZE;
export const MEMORY_SIZE = CONTACTS_AT + MAX_CONTACTS * CONTACT_SIZE;
