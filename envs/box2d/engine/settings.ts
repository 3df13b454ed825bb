/** Box2D's tolerances. Lengths in metres, angles in rad, times in seconds. */

/** How deep things may rest in each other, so that a contact does not come and go. */
export const LINEAR_SLOP = 0.005;
export const ANGULAR_SLOP = (2 / 180) * Math.PI;
/** Of every shape: two touch where they come within the sum of their skins. */
export const SKIN = 2 * LINEAR_SLOP;
export const BOTH_SKINS = SKIN + SKIN;
/** Of the boxes in which pairs are sought: shapes that move a little keep theirs. */
export const FAT = 0.1;
/** Steps of the present size by which a box is stretched in the direction in which its shape moves. */
export const FAT_STEPS = 2;
/** Share of an overlap that one iteration takes away. */
export const OVERLAP_SHARE = 0.2;
export const IMPACT_OVERLAP_SHARE = 0.75;
export const MAX_LINEAR_CORRECTION = 0.2;
export const MAX_ANGULAR_CORRECTION = (8 / 180) * Math.PI;
/** In one step. */
export const MAX_TRANSLATION = 2;
export const MAX_ROTATION = 0.5 * Math.PI;
/** Bodies that are slower than this for so long sleep. */
export const REST_TIME = 0.5;
export const REST_SPEED = 0.01; // m/s
export const REST_SPIN = (2 / 180) * Math.PI; // rad/s
/** Impacts of one contact within a step. */
export const MAX_IMPACTS = 8;
export const EPSILON = 1e-9;

export const TIME_STEP = 1 / 50;
export const NUM_VELOCITY_ITERATIONS = 180;
export const NUM_POSITION_ITERATIONS = 60;
export const NUM_IMPACT_ITERATIONS = 20;
/** Iterations of the velocities after which the state is kept, to be compared with. */
export const KEEP_EVERY = 8;
