/** Contacts between ground and bodies: which there are, and where they touch. */
import { type Body, wake } from './body.ts';
import { collideBlock } from './collide-block.ts';
import { collideEdge } from './collide-edge.ts';
import { bodyOfPiece, findPieces, type Ground, meetsPiece } from './ground.ts';
import { createManifold, type Manifold } from './manifold.ts';
import type { Contact, World } from './scene.ts';
import { contactRecords } from './solver-memory.ts';

function newContact(): Contact {
  return {
    piece: 0,
    body: 0,
    friction: 0.5,
    isTouching: false,
    isEnabled: true,
    impact: 0.5,
    isImpactKnown: false,
    numImpacts: 0,
    isMet: false,
    manifold: createManifold(),
    record: contactRecords[0],
  };
}

const found: number[] = [];
const pairs: number[] = [];
const MAX_BODIES = 8;

/** Makes contacts of what has come near to bodies whose box is new: in the order of the pieces, of one piece in that of the bodies' making. */
export function findContacts(world: World): void {
  const { bodies, ground, ranks } = world;
  if (pairs.length > 0) pairs.length = 0;
  for (let b = 0; b < bodies.length; b++) {
    const body = bodies[b];
    if (!body.isFatNew) continue;
    body.isFatNew = false;
    if (found.length > 0) found.length = 0;
    findPieces(ground, body.fat, found);
    for (let k = 0; k < found.length; k++)
      if (!hasContact(world, found[k], b)) pairs.push(found[k] * MAX_BODIES + ranks[b]);
  }
  if (pairs.length > 1) pairs.sort((a, b) => a - b);
  for (let k = 0; k < pairs.length; k++) {
    const rank = pairs[k] % MAX_BODIES;
    addContact(world, (pairs[k] - rank) / MAX_BODIES, ranks.indexOf(rank));
  }
}

function hasContact({ contacts }: World, piece: number, body: number): boolean {
  for (let k = 0; k < contacts.length; k++)
    if (contacts[k].piece === piece && contacts[k].body === body) return true;
  return false;
}

/** A contact whose touch is not known yet. Wakes the body. */
export function addContact(world: World, piece: number, body: number): Contact {
  const contact = world.spare.pop() ?? newContact();
  contact.piece = piece;
  contact.body = body;
  contact.friction = Math.sqrt(world.ground.frictions[piece] * world.bodies[body].friction);
  contact.isTouching = false;
  contact.isEnabled = true;
  contact.impact = 1;
  contact.isImpactKnown = false;
  contact.numImpacts = 0;
  contact.isMet = false;
  contact.manifold.numPoints = 0;
  wake(world.bodies[body]);
  world.contacts.push(contact);
  return contact;
}

/** Takes contacts away whose boxes meet no more, and looks where the others touch; the newest first. */
export function updateContacts(world: World): void {
  const { contacts, bodies, ground } = world;
  for (let k = contacts.length - 1; k >= 0; k--) {
    const contact = contacts[k];
    const body = bodies[contact.body];
    if (!body.isAwake) continue;
    if (meetsPiece(ground, contact.piece, body.fat)) {
      updateContact(world, contact);
      continue;
    }
    if (contact.isTouching) world.onTouch(contact.body, false);
    if (contact.manifold.numPoints > 0) wake(body);
    contacts.splice(k, 1);
    world.spare.push(contact);
  }
}

/** Looks where a contact touches; a point that was there before keeps its impulses. Says when touching begins or ends. */
export function updateContact(world: World, contact: Contact): void {
  const { manifold, piece } = contact;
  const { keys, impulses } = manifold;
  const body = world.bodies[contact.body];
  const wasTouching = contact.isTouching;
  const numBefore = manifold.numPoints;
  const key0 = keys[0];
  const key1 = keys[1];
  const normal0 = impulses[0];
  const tangent0 = impulses[1];
  const normal1 = impulses[2];
  const tangent1 = impulses[3];
  collide(manifold, world.ground, piece, body);
  for (let k = 0; k < manifold.numPoints; k++) {
    const isFirst = numBefore > 0 && keys[k] === key0;
    const isSecond = !isFirst && numBefore > 1 && keys[k] === key1;
    impulses[2 * k] = isFirst ? normal0 : isSecond ? normal1 : 0;
    impulses[2 * k + 1] = isFirst ? tangent0 : isSecond ? tangent1 : 0;
  }
  contact.isEnabled = true;
  contact.isTouching = manifold.numPoints > 0;
  if (contact.isTouching === wasTouching) return;
  wake(body);
  world.onTouch(contact.body, contact.isTouching);
}

function collide(manifold: Manifold, ground: Ground, piece: number, body: Body): void {
  const numBlocks = ground.blocks.length;
  if (piece < numBlocks) collideBlock(manifold, ground.blocks[piece], body);
  else collideEdge(manifold, ground, piece - numBlocks, body);
}

/** The share of the step at which an impact has met the ground of a contact. */
export function groundElapsed({ ground }: World, { piece }: Contact): number {
  return ground.elapsed[bodyOfPiece(ground, piece)];
}

export function setGroundElapsed({ ground }: World, { piece }: Contact, share: number): void {
  ground.elapsed[bodyOfPiece(ground, piece)] = share;
}
