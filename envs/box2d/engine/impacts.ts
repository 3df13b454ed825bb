/**
 * Impacts within a step: what would have passed through the ground is put back to where it met it, pushed off, and moved on for the rest of the step.
 * The hinges wait for the next step, as in Box2D.
 */
import { advanceOld, type Body, moveAfterImpact, placeBody, wake } from './body.ts';
import { findContacts, groundElapsed, setGroundElapsed, updateContact } from './contact.ts';
import { prepareContact, separateContact } from './contact-solver.ts';
import type { Cloud } from './distance.ts';
import type { Ground } from './ground.ts';
import { holdRecords, moveCenter } from './island.ts';
import { iterate } from './iterate.ts';
import type { Contact, World } from './scene.ts';
import {
  EPSILON,
  FAT,
  IMPACT_OVERLAP_SHARE,
  LINEAR_SLOP,
  MAX_IMPACTS,
  NUM_IMPACT_ITERATIONS,
  SKIN,
  TIME_STEP,
} from './settings.ts';
import { solverState } from './solver-memory.ts';
import { IMPACT_DISTANCE, timeOfImpact } from './time-of-impact.ts';

/** Solves the impacts of a step, the earliest first. */
export function solveImpacts(world: World): void {
  const { bodies, contacts } = world;
  for (let k = 0; k < bodies.length; k++) bodies[k].elapsed = 0;
  for (let k = 0; k < contacts.length; k++) {
    const contact = contacts[k];
    contact.isImpactKnown = false;
    contact.isMet = false;
    contact.numImpacts = 0;
    contact.impact = 1;
  }
  for (let contact = firstImpact(world); contact !== null; contact = firstImpact(world)) meet(world, contact);
  for (let k = 0; k < contacts.length; k++) setGroundElapsed(world, contacts[k], 0);
}

/** The contact that meets first; of several the newest. */
function firstImpact(world: World): Contact | null {
  const { contacts, bodies } = world;
  let first: Contact | null = null;
  let least = 1;
  for (let k = contacts.length - 1; k >= 0; k--) {
    const contact = contacts[k];
    if (!contact.isEnabled || contact.numImpacts > MAX_IMPACTS) continue;
    if (!contact.isImpactKnown) {
      if (!bodies[contact.body].isAwake) continue;
      contact.impact = impactOf(world, contact, bodies[contact.body]);
      contact.isImpactKnown = true;
    }
    if (contact.impact >= least) continue;
    first = contact;
    least = contact.impact;
  }
  return 1 - 10 * EPSILON < least ? null : first;
}

const ground: Cloud = { corners: new Float64Array(0), from: 0, count: 0 };

/** Share of the step at which they meet, 1 = they do not. */
function impactOf(world: World, contact: Contact, body: Body): number {
  const ofGround = groundElapsed(world, contact);
  const start = Math.max(ofGround, body.elapsed);
  if (ofGround < body.elapsed) setGroundElapsed(world, contact, start);
  else if (body.elapsed < ofGround) advanceOld(body, start);
  if (start === 0 && staysClear(world.ground, contact.piece, body)) return 1;
  const { blocks, edges } = world.ground;
  const isBlock = contact.piece < blocks.length;
  ground.corners = isBlock ? blocks[contact.piece].corners : edges;
  ground.from = isBlock ? 0 : 4 * (contact.piece - blocks.length);
  ground.count = isBlock ? blocks[contact.piece].numCorners : 2;
  const share = timeOfImpact(ground, body);
  return share < 0 ? 1 : Math.min(start + (1 - start) * share, 1);
}

/**
 * Whether a body stays far enough away all through the step, so that no search is needed: all its corners on one side of an edge or block, at both ends of its way.
 * In between a corner is nearer by no more than the height of its arc, reach * turn^2 / 8.
 */
function staysClear({ fat, blocks, edges, normals }: Ground, piece: number, body: Body): boolean {
  const turn = body.angle - body.oldAngle;
  const margin = IMPACT_DISTANCE + 1e-4 + (body.reach * turn * turn) / 8;
  const { bounds, oldBounds } = body;
  const at = 4 * piece;
  const wide = margin - SKIN - SKIN - FAT; // the boxes have skins, and the ground's is fat
  for (let axis = 0; axis < 2; axis++) {
    const below = fat[at + axis] - Math.max(bounds[2 + axis], oldBounds[2 + axis]);
    const above = Math.min(bounds[axis], oldBounds[axis]) - fat[at + 2 + axis];
    if (below > wide || above > wide) return true;
  }
  if (piece >= blocks.length) {
    const edge = piece - blocks.length;
    const nx = normals[2 * edge];
    const ny = normals[2 * edge + 1];
    const offset = nx * edges[4 * edge] + ny * edges[4 * edge + 1];
    return isBeyond(body, nx, ny, offset + margin) || isBeyond(body, -nx, -ny, margin - offset);
  }
  const block = blocks[piece];
  for (let k = 0; k < block.corners.length; k += 2) {
    const nx = block.normals[k];
    const ny = block.normals[k + 1];
    if (isBeyond(body, nx, ny, nx * block.corners[k] + ny * block.corners[k + 1] + margin)) return true;
  }
  return false;
}

function isBeyond({ corners, oldCorners }: Body, nx: number, ny: number, offset: number): boolean {
  for (let k = 0; k < corners.length; k += 2) {
    if (nx * corners[k] + ny * corners[k + 1] <= offset) return false;
    if (nx * oldCorners[k] + ny * oldCorners[k + 1] <= offset) return false;
  }
  return true;
}

/** Puts the body of a contact where it meets the ground, solves what it touches there, and moves it on. */
function meet(world: World, contact: Contact): void {
  const body = world.bodies[contact.body];
  const { impact } = contact;
  const groundBefore = groundElapsed(world, contact);
  const { x, y, angle, oldX, oldY, oldAngle, elapsed } = body;
  advanceOld(body, impact);
  setGroundElapsed(world, contact, impact);
  body.x = body.oldX;
  body.y = body.oldY;
  body.angle = body.oldAngle;
  placeBody(body);
  updateContact(world, contact);
  contact.isImpactKnown = false;
  contact.numImpacts += 1;
  if (!contact.isTouching) {
    contact.isEnabled = false;
    setGroundElapsed(world, contact, groundBefore);
    body.x = x;
    body.y = y;
    body.angle = angle;
    body.oldX = oldX;
    body.oldY = oldY;
    body.oldAngle = oldAngle;
    body.elapsed = elapsed;
    placeBody(body);
    return;
  }
  wake(body);
  holdMet(world, contact, impact);
  solveMet(world, contact.body, (1 - impact) * TIME_STEP);
  moveAfterImpact(body);
  const { contacts } = world;
  for (let k = 0; k < contacts.length; k++) {
    if (contacts[k].body !== contact.body) continue;
    contacts[k].isImpactKnown = false;
    contacts[k].isMet = false;
  }
  findContacts(world);
}

/** Holds what else the body touches where it is now. */
function holdMet(world: World, contact: Contact, impact: number): void {
  const { contacts, held } = world;
  held.length = 0;
  held.push(contact);
  contact.isMet = true;
  for (let k = contacts.length - 1; k >= 0; k--) {
    const other = contacts[k];
    if (other.isMet || other.body !== contact.body) continue;
    const before = groundElapsed(world, other);
    setGroundElapsed(world, other, impact);
    updateContact(world, other);
    if (other.isTouching) {
      other.isMet = true;
      held.push(other);
    } else setGroundElapsed(world, other, before);
  }
}

/** The held contacts of one body: out of each other first, then velocities, then on for a time. Impulses are not kept. */
function solveMet(world: World, k: number, time: number): void {
  const { held } = world;
  const body = world.bodies[k];
  const size = holdRecords(world);
  solverState[3 * k] = body.velocityX;
  solverState[3 * k + 1] = body.velocityY;
  solverState[3 * k + 2] = body.spin;
  for (let i = 0; i < NUM_IMPACT_ITERATIONS; i++) {
    let deepest = 0;
    for (let j = 0; j < held.length; j++)
      deepest = Math.min(deepest, separateContact(held[j], body, IMPACT_OVERLAP_SHARE));
    if (deepest >= -1.5 * LINEAR_SLOP) break;
  }
  body.oldX = body.x;
  body.oldY = body.y;
  body.oldAngle = body.angle;
  for (let j = 0; j < held.length; j++) prepareContact(held[j], body);
  iterate(0, held.length, size);
  moveCenter(world, k, time);
  placeBody(body);
}
