/** A step of all bodies, which hinges hold together: velocities, then places, then rest. */
import { moveBody, sleep } from './body.ts';
import { prepareContact, separateContact, storeContact, warmContact } from './contact-solver.ts';
import { alignHinge, prepareHinge, storeHinge, warmHinge } from './hinge.ts';
import { iterate } from './iterate.ts';
import type { World } from './scene.ts';
import {
  LINEAR_SLOP,
  MAX_ROTATION,
  MAX_TRANSLATION,
  NUM_POSITION_ITERATIONS,
  OVERLAP_SHARE,
  REST_SPEED,
  REST_SPIN,
  REST_TIME,
  TIME_STEP,
} from './settings.ts';
import { MAX_CONTACTS, NUM_CONTACT_IMPULSES, NUM_HINGE_IMPULSES } from './solver-layout.ts';
import { contactRecords, solverState } from './solver-memory.ts';

/** Moves the bodies. */
export function solveIsland(world: World): void {
  const { bodies, hinges, held } = world;
  for (let k = 0; k < bodies.length; k++) bodies[k].isAwake = true;
  holdTouching(world);
  const size = holdRecords(world);
  pushBodies(world);
  for (let k = 0; k < held.length; k++) prepareContact(held[k], bodies[held[k].body]);
  for (let k = 0; k < held.length; k++) warmContact(held[k]);
  for (let k = 0; k < hinges.length; k++) {
    prepareHinge(hinges[k]);
    warmHinge(hinges[k]);
  }
  iterate(hinges.length, held.length, size);
  for (let k = 0; k < held.length; k++) storeContact(held[k]);
  for (let k = 0; k < hinges.length; k++) storeHinge(hinges[k]);
  for (let k = 0; k < bodies.length; k++) moveCenter(world, k, TIME_STEP);
  const isSolved = separate(world);
  for (let k = 0; k < bodies.length; k++) moveBody(bodies[k]);
  rest(world, isSolved);
}

/** Lists what touches, in Box2D's order: body after body, of each the newest first. */
function holdTouching({ bodies, contacts, held }: World): void {
  if (held.length > 0) held.length = 0;
  if (contacts.length === 0) return;
  for (let b = 0; b < bodies.length; b++)
    for (let k = contacts.length - 1; k >= 0; k--) {
      const contact = contacts[k];
      if (contact.body === b && contact.isTouching && contact.isEnabled) held.push(contact);
    }
}

/** Gives each held contact a record, and impulses of 0. @returns how much of the solver's state is in use. */
export function holdRecords({ bodies, hinges, held }: World): number {
  if (held.length > MAX_CONTACTS) held.length = MAX_CONTACTS; // no body is large enough for so many
  const first = 3 * bodies.length + NUM_HINGE_IMPULSES * hinges.length;
  for (let k = 0; k < held.length; k++) {
    const { links } = contactRecords[k];
    held[k].record = contactRecords[k];
    links[0] = 8 * 3 * held[k].body;
    links[1] = 8 * (first + NUM_CONTACT_IMPULSES * k);
  }
  const size = first + NUM_CONTACT_IMPULSES * held.length;
  for (let k = first; k < size; k++) solverState[k] = 0;
  return size;
}

/** Keeps where the bodies are, and puts their velocities with gravity and forces into the solver's state. */
function pushBodies({ bodies, gravity }: World): void {
  for (let k = 0; k < bodies.length; k++) {
    const body = bodies[k];
    body.oldX = body.x;
    body.oldY = body.y;
    body.oldAngle = body.angle;
    const push = TIME_STEP * body.inverseMass;
    solverState[3 * k] = body.velocityX + push * body.forceX;
    solverState[3 * k + 1] = body.velocityY + TIME_STEP * gravity + push * body.forceY;
    solverState[3 * k + 2] = body.spin + TIME_STEP * body.inverseInertia * body.torque;
  }
}

/** Takes a body's velocity from the solver's state, no faster than what the solver bears, and moves it so for a time. */
export function moveCenter({ bodies }: World, k: number, time: number): void {
  const body = bodies[k];
  let vx = solverState[3 * k];
  let vy = solverState[3 * k + 1];
  let spin = solverState[3 * k + 2];
  const x = time * vx;
  const y = time * vy;
  const square = x * x + y * y;
  if (square > MAX_TRANSLATION * MAX_TRANSLATION) {
    const ratio = MAX_TRANSLATION / Math.sqrt(square);
    vx *= ratio;
    vy *= ratio;
  }
  const rotation = time * spin;
  if (rotation * rotation > MAX_ROTATION * MAX_ROTATION) spin *= MAX_ROTATION / Math.abs(rotation);
  body.x += time * vx;
  body.y += time * vy;
  body.angle += time * spin;
  body.velocityX = vx;
  body.velocityY = vy;
  body.spin = spin;
}

/** Takes overlaps and errors of hinges away. @returns whether little of them is left. */
function separate({ bodies, hinges, held }: World): boolean {
  for (let i = 0; i < NUM_POSITION_ITERATIONS; i++) {
    let deepest = 0;
    for (let k = 0; k < held.length; k++)
      deepest = Math.min(deepest, separateContact(held[k], bodies[held[k].body], OVERLAP_SHARE));
    let isAligned = true;
    for (let k = 0; k < hinges.length; k++) if (!alignHinge(hinges[k])) isAligned = false;
    if (deepest >= -3 * LINEAR_SLOP && isAligned) return true;
  }
  return false;
}

/** Puts the bodies to sleep once all of them have been slow for a while. */
function rest({ bodies }: World, isSolved: boolean): void {
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < bodies.length; k++) {
    const body = bodies[k];
    const { spin, velocityX, velocityY } = body;
    const isFast =
      spin * spin > REST_SPIN * REST_SPIN ||
      velocityX * velocityX + velocityY * velocityY > REST_SPEED * REST_SPEED;
    body.restTime = isFast ? 0 : body.restTime + TIME_STEP;
    least = Math.min(least, body.restTime);
  }
  if (least >= REST_TIME && isSolved) for (let k = 0; k < bodies.length; k++) sleep(bodies[k]);
}
