/** The iterations of the velocity solver, and an end to them where the rest is known. */
import { solveContact } from './contact-solver.ts';
import { solveHinge } from './hinge.ts';
import { KEEP_EVERY, NUM_VELOCITY_ITERATIONS } from './settings.ts';
import { contactRecords, hingeRecords, keptState, runSolver, solverState } from './solver-memory.ts';

/**
 * 180 times round the first hinges and contacts of the solver's memory.
 *
 * An iteration's result depends on the state alone. Where the state is one that was there before, to the last bit, all that follows repeats what came after it, so
 * only what is left of the last repetition is made: the same bits.
 *
 * @param size how many numbers of the state are in use.
 */
export function iterate(numHinges: number, numContacts: number, size: number): void {
  if (runSolver === null) iterateInScript(numHinges, numContacts, size);
  else runSolver(numHinges, numContacts, size);
}

/** The same without WebAssembly. */
export function iterateInScript(numHinges: number, numContacts: number, size: number): void {
  let keptAt = -1;
  let left = NUM_VELOCITY_ITERATIONS;
  for (let done = 0; left > 0; done++) {
    for (let k = 0; k < numHinges; k++) {
      const { numbers, links } = hingeRecords[k];
      solveHinge(numbers, solverState, links[0] / 8, links[1] / 8, links[2] / 8);
    }
    for (let k = 0; k < numContacts; k++) {
      const { numbers, links } = contactRecords[k];
      solveContact(numbers, solverState, links[0] / 8, links[1] / 8, links[2]);
    }
    left -= 1;
    if (keptAt >= 0 && isKept(size)) {
      left %= done - keptAt;
      keptAt = -1;
    } else if (done % KEEP_EVERY === 0) {
      for (let k = 0; k < size; k++) keptState[k] = solverState[k];
      keptAt = done;
    }
  }
}

function isKept(size: number): boolean {
  for (let k = 0; k < size; k++) if (solverState[k] !== keptState[k]) return false;
  return true;
}
