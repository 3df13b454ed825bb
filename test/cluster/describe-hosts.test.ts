import { expect, test } from 'vitest';
import type { ClusterDescription } from '../../src/cluster/bridge.ts';
import { describeHosts } from '../../src/cluster/describe-hosts.ts';
import { createRemoteHost } from '../../src/cluster/remote-host.ts';

const CLUSTER: ClusterDescription = {
  ...{ ray: '2.60.0', python: '3.12', head: '10.0.0.1:6379', dashboard: '', here: 'a', shared: null },
  nodes: [],
};

/** Not opened: it has a number, and asks for no connection. */
const hostOf = (index: number) =>
  createRemoteHost(index, {} as never, { kernels: 'strict', hasFma: true }, 1000, { count: 0, ms: 0 });

test('hosts are described with the rows of their part when others have left before them', () => {
  const parts = [
    { firstRow: 0, numRows: 3 },
    { firstRow: 3, numRows: 4 },
  ];
  const told = describeHosts(CLUSTER, null, [hostOf(5), hostOf(1)], parts);
  expect(told?.hosts).toEqual([
    { host: 5, environments: '0 to 2' },
    { host: 1, environments: '3 to 6' },
  ]);
});
