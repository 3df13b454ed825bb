/**
 * The memory of the velocity solver, and its iterations: WebAssembly where there is any, else the same in JavaScript. All worlds of a thread take turns in it: what a
 * step leaves there nobody reads.
 */
import { type WasmMemory, webAssembly } from '../../../src/memory/web-assembly.ts';
import { solverModule } from './solver-code.ts';
import {
  CONTACT_LINKS,
  CONTACT_SIZE,
  CONTACTS_AT,
  HINGE_LINKS,
  HINGE_SIZE,
  HINGES_AT,
  KEPT_AT,
  MAX_CONTACTS,
  MAX_HINGES,
  MEMORY_SIZE,
  NUM_LINKS,
} from './solver-layout.ts';

/** The record of a hinge or contact. */
export interface SolverRecord {
  readonly numbers: Float64Array; // f64, by the names of the layout
  readonly links: Int32Array; // [NUM_LINKS] i32, byte addresses in the state; of a contact the last is its number of points
}

type Run = (numHinges: number, numContacts: number, size: number) => void;

function openMemory(): { readonly buffer: ArrayBufferLike; readonly run: Run | null } {
  try {
    const { exports } = new webAssembly.Instance(new webAssembly.Module(solverModule()), {});
    return { buffer: (exports.memory as WasmMemory).buffer, run: exports.run as Run };
  } catch {
    return { buffer: new ArrayBuffer(MEMORY_SIZE), run: null }; // a page that forbids WebAssembly
  }
}
const { buffer, run } = openMemory();

/** The iterations as WebAssembly; null where there is none. */
export const runSolver = run;
/** Velocities and impulses. */
export const solverState = new Float64Array(buffer, 0, KEPT_AT / 8);
export const keptState = new Float64Array(buffer, KEPT_AT, KEPT_AT / 8);
export const hingeRecords = recordsAt(HINGES_AT, HINGE_SIZE, HINGE_LINKS, MAX_HINGES);
export const contactRecords = recordsAt(CONTACTS_AT, CONTACT_SIZE, CONTACT_LINKS, MAX_CONTACTS);

function recordsAt(from: number, size: number, links: number, count: number): readonly SolverRecord[] {
  return Array.from({ length: count }, (_, k) => ({
    numbers: new Float64Array(buffer, from + k * size, links / 8),
    links: new Int32Array(buffer, from + k * size + links, NUM_LINKS),
  }));
}
