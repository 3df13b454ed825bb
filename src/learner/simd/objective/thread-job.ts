/** What a learning thread is doing: one of these a thread, read by everything that runs in it. */
export interface ThreadJob {
  /** The phase that runs: parameters change from one to the next, so kernels transposed for an older one are stale. */
  phase: number;
  /** Grows with every slab that is begun: its first block overwrites the slab, later ones add to it. */
  item: number;
  /** Grows with every block: what was packed for an older one is stale. */
  block: number;
  /** Byte address of the gradient slab of the item's group of blocks. */
  slab: number;
  /** The block's rows in the batch. */
  start: number;
  numRows: number;
  isNormalized: boolean;
}

export function createThreadJob(): ThreadJob {
  return { phase: 0, item: 0, block: 0, slab: 0, start: 0, numRows: 0, isNormalized: false };
}
