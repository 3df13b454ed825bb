/** The solver's iterations as WebAssembly against the same in JavaScript: the same bits, whatever is in the memory. */
import { describe, expect, it } from 'vitest';
import { iterateInScript } from '../../../envs/box2d/engine/iterate.ts';
import { CONTACT, HINGE } from '../../../envs/box2d/engine/solver-layout.ts';
import {
  contactRecords,
  hingeRecords,
  runSolver,
  solverState,
} from '../../../envs/box2d/engine/solver-memory.ts';
import { openEnvRandom } from '../../../src/env/env-random.ts';

const NUM_BODIES = 5;

/** Random hinges and contacts of bodies that move about. @returns how much of the state is in use. */
function fill(seed: number, numHinges: number, numContacts: number): number {
  const random = openEnvRandom(seed);
  const draw = (low: number, high: number) => random.uniform(low, high);
  const first = 3 * NUM_BODIES;
  for (let k = 0; k < numHinges; k++) {
    const { numbers: h, links } = hingeRecords[k];
    for (let i = 0; i < h.length; i++) h[i] = draw(-0.6, 0.6);
    for (const name of ['inverseMassA', 'inverseMassB', 'inverseInertiaA', 'inverseInertiaB'] as const)
      h[HINGE[name]] = draw(0.2, 1);
    h[HINGE.motorMass] = draw(0.1, 0.5);
    h[HINGE.maxImpulse] = draw(0, 2);
    h[HINGE.limit] = random.integer(3) - 1;
    h[HINGE.k11] = draw(1, 3);
    h[HINGE.k22] = draw(1, 3);
    h[HINGE.scale2] = draw(0.1, 0.3);
    h[HINGE.scale3] = draw(0.1, 0.3);
    links.set([24 * k, 24 * (k + 1), 8 * (first + 4 * k)]);
  }
  for (let k = 0; k < numContacts; k++) {
    const { numbers: c, links } = contactRecords[k];
    for (let i = 0; i < c.length; i++) c[i] = draw(-0.5, 0.5);
    const angle = draw(0, 6);
    c[CONTACT.normalX] = Math.cos(angle);
    c[CONTACT.normalY] = Math.sin(angle);
    c[CONTACT.friction] = draw(0, 2);
    for (const name of ['inverseMass', 'inverseInertia', 'normalMass', 'tangentMass'] as const)
      c[CONTACT[name]] = draw(0.1, 0.5);
    links.set([24 * random.integer(NUM_BODIES), 8 * (first + 4 * (numHinges + k)), 1 + random.integer(2)]);
  }
  const size = first + 4 * (numHinges + numContacts);
  for (let k = 0; k < size; k++) solverState[k] = draw(-1, 1);
  return size;
}

describe('the solver', () => {
  it.each([
    [4, 3],
    [2, 0],
    [0, 2],
    [1, 6],
  ])(
    'gives the same bits in WebAssembly and in JavaScript (%i hinges, %i contacts)',
    (numHinges, numContacts) => {
      expect(runSolver).not.toBeNull();
      const results = new Set<string>();
      for (let seed = 0; seed < 40; seed++) {
        const [compiled, script] = [runSolver, iterateInScript].map((run) => {
          const size = fill(seed, numHinges, numContacts);
          const before = solverState.slice(0, size);
          run?.(numHinges, numContacts, size);
          expect([...solverState.slice(0, size)]).not.toEqual([...before]);
          return [...solverState.slice(0, size)].map((x) => x + 0); // -0 + 0 = 0
        });
        expect(compiled).toEqual(script);
        results.add(compiled.join());
      }
      expect(results.size).toBe(40);
    },
  );

  it('has every iteration made where nothing repeats, and none too many where it does', () => {
    // A body on which a contact pushes: the first iteration stops it, all others find it so.
    const size = fill(1, 0, 1);
    const { numbers: c, links } = contactRecords[0];
    const still = { normalX: 0, normalY: 1, friction: 0, armX: 0, armY: 0, normalMass: 2, inverseMass: 0.5 };
    for (const [name, value] of Object.entries(still)) c[CONTACT[name as keyof typeof still]] = value;
    links.set([0, 8 * 3 * NUM_BODIES, 1]);
    solverState.fill(0, 0, size);
    solverState.set([0.25, -3, 0.5]);
    runSolver?.(0, 1, size);
    expect([...solverState.slice(0, 3)]).toEqual([0.25, 0, 0.5]);
    expect(solverState[3 * NUM_BODIES]).toBe(6);
  });
});
