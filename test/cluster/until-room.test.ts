/** How many hosts fit into a cluster. */
import { expect, test } from 'vitest';
import type { ClusterNode } from '../../src/cluster/bridge.ts';
import { roomFor } from '../../src/cluster/until-room.ts';

const node = (resources: Record<string, number>, more: Partial<ClusterNode> = {}): ClusterNode => ({
  ...{ id: 'n', address: '10.0.0.1', alive: true, isDraining: false, labels: {} },
  ...{ resources, ...more },
});

test('counts whole hosts on each node: what is left over on two of them is none', () => {
  const wants = { resources: { CPU: 3, rollout: 1 }, labels: {} };
  expect(roomFor([node({ CPU: 8, rollout: 9 })], wants)).toBe(2);
  expect(roomFor([node({ CPU: 8, rollout: 1 })], wants)).toBe(1);
  expect(roomFor([node({ CPU: 4, rollout: 1 }), node({ CPU: 2, rollout: 1 })], wants)).toBe(1);
  expect(roomFor([node({ CPU: 8 })], wants)).toBe(0);
});

test('a node that is gone, is going, or has another label has no room', () => {
  const wants = { resources: { CPU: 1 }, labels: { role: 'rollout' } };
  const labels = { role: 'rollout' };
  expect(roomFor([node({ CPU: 2 }, { labels })], wants)).toBe(2);
  expect(roomFor([node({ CPU: 2 }, { labels, alive: false })], wants)).toBe(0);
  expect(roomFor([node({ CPU: 2 }, { labels, isDraining: true })], wants)).toBe(0);
  expect(roomFor([node({ CPU: 2 })], wants)).toBe(0);
});
