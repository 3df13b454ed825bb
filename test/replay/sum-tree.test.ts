import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSumTree, findLeaf, setLeaf, setLeaves } from '../../src/replay/sum-tree.ts';

describe('a sum tree', () => {
  test('finds leaves as worked by hand, and skips the one without mass', () => {
    const tree = createSumTree(8);
    [3, 1, 4, 2, 0, 5, 1, 4].forEach((mass, i) => {
      setLeaf(tree, i, mass);
    });
    expect(tree.nodes[1]).toBe(20);
    const found = [0, 2.999, 3, 3.5, 4, 7.999, 8, 9.999, 10, 15, 19.99].map((mass) => findLeaf(tree, mass));
    expect(found).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 5, 6, 7]);
  });

  const masses = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-12, max: 1e6, noNaN: true })), {
    minLength: 1,
    maxLength: 70,
  });

  test('every node is the sum of its children, and does not depend on the order of changes', () => {
    fc.assert(
      fc.property(masses, fc.array(fc.nat(69), { maxLength: 50 }), (leaves, detours) => {
        const tree = createSumTree(leaves.length);
        for (const i of detours) if (i < leaves.length) setLeaf(tree, i, i + 0.1);
        for (let i = leaves.length - 1; i >= 0; i--) setLeaf(tree, i, leaves[i]);
        for (let k = 1; k < tree.numLeaves; k++) {
          expect(tree.nodes[k]).toBe(tree.nodes[2 * k] + tree.nodes[2 * k + 1]);
        }
        const atOnce = createSumTree(leaves.length);
        setLeaves(atOnce, leaves);
        expect(atOnce).toEqual(tree);
        const sum = leaves.reduce((total, mass) => total + mass, 0);
        expect(tree.nodes[1]).toBeCloseTo(sum, 3);
      }),
    );
  });

  test('never finds a leaf without mass, up to the root and beyond', () => {
    fc.assert(
      fc.property(masses, fc.double({ min: 0, max: 1.001, noNaN: true }), (leaves, share) => {
        const tree = createSumTree(leaves.length);
        setLeaves(tree, leaves);
        fc.pre(tree.nodes[1] > 0);
        expect(leaves[findLeaf(tree, share * tree.nodes[1])]).toBeGreaterThan(0);
      }),
    );
  });
});
