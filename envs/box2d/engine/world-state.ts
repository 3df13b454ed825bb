/** What has to be kept of a world so that it goes on to the bit; what never changes is left out, and so are points that no longer touch, of which a contact keeps what it last knew. */
import type { JsonObject } from '../../../src/json.ts';
import { boundBody, placeBody } from './body.ts';
import { addContact } from './contact.ts';
import type { World } from './scene.ts';

/** To be taken between steps. */
export function saveWorld({ bodies, hinges, contacts }: World): JsonObject {
  return {
    bodies: bodies.map((body) => {
      const { x, y, angle, velocityX, velocityY, spin, isAwake, restTime, fat } = body;
      return [x, y, angle, velocityX, velocityY, spin, isAwake ? 1 : 0, restTime, ...fat];
    }),
    hinges: hinges.map(({ limit, motorSpeed, maxTorque, impulses }) => [
      limit,
      motorSpeed,
      maxTorque,
      ...impulses,
    ]),
    contacts: contacts.map(({ piece, body, isTouching, manifold }) => {
      const { numPoints, keys, impulses } = manifold;
      const points = [...keys.subarray(0, numPoints), ...impulses.subarray(0, 2 * numPoints)];
      return [piece, body, isTouching ? 1 : 0, numPoints, ...points];
    }),
  };
}

/** @param world of the same parts. */
export function restoreWorld(world: World, saved: JsonObject): void {
  const { bodies, hinges, contacts, spare } = world;
  spare.push(...contacts.splice(0));
  for (const [piece, body, isTouching, numPoints, ...rest] of saved.contacts as number[][]) {
    const contact = addContact(world, piece, body);
    contact.isTouching = isTouching === 1;
    contact.manifold.numPoints = numPoints;
    contact.manifold.keys.set(rest.slice(0, numPoints));
    contact.manifold.impulses.set(rest.slice(numPoints));
  }
  (saved.hinges as number[][]).forEach(([limit, motorSpeed, maxTorque, ...impulses], k) => {
    Object.assign(hinges[k], { limit, motorSpeed, maxTorque });
    hinges[k].impulses.set(impulses);
  });
  (saved.bodies as number[][]).forEach((numbers, k) => {
    const [x, y, angle, velocityX, velocityY, spin, isAwake, restTime, ...fat] = numbers;
    const body = bodies[k];
    const motion = { x, y, angle, velocityX, velocityY, spin, isAwake: isAwake === 1, restTime };
    Object.assign(body, { ...motion, forceX: 0, forceY: 0, torque: 0, isFatNew: false });
    body.fat.set(fat);
    placeBody(body);
    boundBody(body);
  });
}
