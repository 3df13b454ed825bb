/**
 * The shared arena: one block of memory that every thread of a run sees.
 *
 * It is a `WebAssembly.Memory`, so the kernels of every thread read and write the same rollouts and weights
 * without a copy; its buffer is a SharedArrayBuffer. Sizes are known from the config: everything is reserved once,
 * by a planner, before the memory exists, and nothing is allocated after that.
 *
 * Ownership is per region and stated where the region is reserved.
 */
import { ConfigError } from '../errors.ts';
import { type WasmMemory, webAssembly } from './web-assembly.ts';

const PAGE_BYTES = 65536;
const MAX_PAGES = 65536; // 4 GiB, WebAssembly's limit for 32-bit memories

export interface Arena {
  readonly memory: WasmMemory;
  readonly buffer: ArrayBufferLike;
}

/** A region of the arena; `offset` and `byteLength` in bytes. */
export interface Region {
  readonly offset: number;
  readonly byteLength: number;
}

/** Hands out offsets, 64-byte aligned (a cache line, so that two threads' regions never share one). */
export interface ArenaPlanner {
  reserve(byteLength: number): Region;
  /** Bytes reserved so far. */
  readonly byteLength: number;
}

export function createArenaPlanner(): ArenaPlanner {
  let end = 1024; // offset 0 stays unused, so that 0 can mean "absent" in a descriptor
  return {
    reserve(byteLength) {
      const offset = end;
      end = Math.ceil((end + byteLength) / 64) * 64;
      return { offset, byteLength };
    },
    get byteLength() {
      return end;
    },
  };
}

/**
 * Allocates the memory for a finished plan. `initial === maximum`: it never grows, so views never detach.
 *
 * @param shared false gives an unshared memory (a browser page without cross-origin isolation: one thread).
 * @throws {@link ConfigError} `CONFIG_ARENA_SIZE` above 4 GiB; `CONFIG_MEMORY` when the system does not give it.
 */
export function createArena(plan: ArenaPlanner, shared = true): Arena {
  const pages = Math.ceil(plan.byteLength / PAGE_BYTES);
  if (pages > MAX_PAGES) {
    const gibibytes = (plan.byteLength / 2 ** 30).toFixed(1);
    throw new ConfigError(
      'CONFIG_ARENA_SIZE',
      `The rollout and learner buffers need ${gibibytes} GiB, and WebAssembly memory ends at 4 GiB. Lower \`numEnvs\` or \`rolloutLength\`, or use \`engine: 'tensorflow'\`.`,
    );
  }
  const memory = allocate(pages, shared);
  return { memory, buffer: memory.buffer };
}

function allocate(pages: number, shared: boolean): WasmMemory {
  try {
    return new webAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (cause) {
    const mebibytes = ((pages * PAGE_BYTES) / 2 ** 20).toFixed(1);
    throw new ConfigError(
      'CONFIG_MEMORY',
      `The rollout and learner buffers need ${mebibytes} MiB, and the system did not give them. V8 reserves 10 GiB of addresses for each ` +
        'WebAssembly memory, however small, so a limit on address space (`ulimit -v`) below 20 GB is the likely cause: raise it, limit ' +
        'resident memory instead (a container does), or start Node with `--disable-wasm-trap-handler`, which reserves no more than is used.',
      { cause },
    );
  }
}
