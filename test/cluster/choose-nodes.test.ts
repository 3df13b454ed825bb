import { describe, expect, test } from 'vitest';
import type { ClusterNode } from '../../src/cluster/bridge.ts';
import { chooseNodes, eligibleNodes, numHostsFor } from '../../src/cluster/choose-nodes.ts';

const node = (id: string, more: Partial<ClusterNode> = {}): ClusterNode => ({
  ...{ id, address: '10.0.0.1', alive: true, isDraining: false, resources: { CPU: 4 }, labels: {}, ...more },
});

test('a node is eligible when it is alive, stays, and has what a host wants', () => {
  const nodes = [
    node('good', { resources: { CPU: 2, rollout: 1 }, labels: { role: 'rollout' } }),
    node('gone', { alive: false, resources: { CPU: 2, rollout: 1 }, labels: { role: 'rollout' } }),
    node('going', { isDraining: true, resources: { CPU: 2, rollout: 1 }, labels: { role: 'rollout' } }),
    node('small', { resources: { CPU: 1, rollout: 1 }, labels: { role: 'rollout' } }),
    node('without', { resources: { CPU: 2 }, labels: { role: 'rollout' } }),
    node('other', { resources: { CPU: 2, rollout: 1 }, labels: { role: 'learner' } }),
  ];
  const wants = { resources: { CPU: 2, rollout: 1 }, labels: { role: 'rollout' } };
  expect(eligibleNodes(nodes, wants).map(({ id }) => id)).toEqual(['good']);
});

describe('numHostsFor', () => {
  const bounds = { maxHosts: 100, numEnvs: 12, numThreads: 2, isEven: false };
  test.each([
    [0, bounds, 1],
    [5, bounds, 5],
    [9, bounds, 6], // two threads each want two rows
    [5, { ...bounds, maxHosts: 3 }, 3],
    [5, { ...bounds, isEven: true }, 4], // the most that divide 12
    [5, { ...bounds, numEnvs: 7, numThreads: 1, isEven: true }, 1],
  ])('%d nodes, %o: %d hosts', (numNodes, given, expected) => {
    expect(numHostsFor(numNodes, given)).toBe(expected);
  });
});

describe('chooseNodes', () => {
  test.each<[string, string[], string[], number, string[]]>([
    ['whoever is a host stays, in its place', ['b', 'a'], ['a', 'b', 'c'], 3, ['b', 'a', 'c']],
    ['whoever has gone is left out', ['a', 'b', 'c'], ['a', 'c'], 2, ['a', 'c']],
    ['a newcomer takes the last place', ['a', 'b'], ['b', 'c'], 2, ['b', 'c']],
    ['hosts on the way elsewhere have no node of their own', ['', 'a', ''], ['a', 'b'], 2, ['a', 'b']],
    ['no more than wanted', ['a'], ['a', 'b', 'c'], 2, ['a', 'b']],
  ])('%s', (_, current, eligible, numHosts, expected) => {
    expect(chooseNodes(current, eligible, numHosts)).toEqual(expected);
  });
});
