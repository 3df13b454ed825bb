/** A binary tree of sums: draws a leaf in proportion to its mass in log2(n) steps. */

/**
 * Node k has children 2k and 2k + 1; leaf i is node `numLeaves + i`. A parent is always the sum of its two children as they are,
 * added anew and never corrected by a difference, so the tree depends on its leaves alone, not on the order of changes, and no
 * rounding gathers.
 */
export interface SumTree {
  /** f64 [2 * numLeaves]; node 1 is the root. */
  readonly nodes: Float64Array;
  /** A power of two. */
  readonly numLeaves: number;
}

/** A tree of `size` leaves of mass 0. 16 bytes a leaf. */
export function createSumTree(size: number): SumTree {
  const numLeaves = 2 ** Math.ceil(Math.log2(Math.max(2, size)));
  return { nodes: new Float64Array(2 * numLeaves), numLeaves };
}

/** Sets the mass (>= 0) of leaf i. */
export function setLeaf({ nodes, numLeaves }: SumTree, i: number, mass: number): void {
  let k = numLeaves + i;
  nodes[k] = mass;
  for (k >>>= 1; k >= 1; k >>>= 1) nodes[k] = nodes[2 * k] + nodes[2 * k + 1];
}

/** Sets all leaves at once; those beyond `masses` become 0. */
export function setLeaves({ nodes, numLeaves }: SumTree, masses: ArrayLike<number>): void {
  for (let i = 0; i < numLeaves; i++) nodes[numLeaves + i] = i < masses.length ? masses[i] : 0;
  for (let k = numLeaves - 1; k >= 1; k--) nodes[k] = nodes[2 * k] + nodes[2 * k + 1];
}

/**
 * The leaf under which `mass` lies when all leaves are laid side by side; 0 <= mass < root. A leaf of mass 0 is never given, unless
 * all are: where rounding leads to an empty half, the other is taken.
 */
export function findLeaf({ nodes, numLeaves }: SumTree, mass: number): number {
  let k = 1;
  let rest = mass;
  while (k < numLeaves) {
    const left = nodes[2 * k];
    if (rest < left || nodes[2 * k + 1] === 0) {
      k = 2 * k;
    } else {
      rest -= left;
      k = 2 * k + 1;
    }
  }
  return k - numLeaves;
}
