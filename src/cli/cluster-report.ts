/** A Ray cluster for people: `operant doctor --ray-address`. */
import type { InspectedCluster, InspectedNode } from '../cluster/inspect-cluster.ts';
import { table } from '../run/text-table.ts';

export function clusterText({
  address,
  ray,
  python,
  dashboard,
  nodes,
  numHostNodes,
}: InspectedCluster): string {
  const numAlive = nodes.filter(({ isAlive }) => isAlive).length;
  const found = table([
    ['cluster', address],
    ['Ray', `${ray}, Python ${python}`],
    ['dashboard', dashboard ?? 'none (`ray start --head --include-dashboard true`, ray[default])'],
    ['nodes', `${numAlive} alive, ${nodes.length - numAlive} dead`],
  ]);
  const head = ['node', 'host', 'CPUs', 'GPUs', 'memory', 'Node', 'may be a rollout host'];
  const rows = nodes.map((node) => [
    `${node.address}${node.isHere ? ' (here)' : ''}`,
    node.hostname || '-',
    String(node.numCpus),
    String(node.numGpus),
    `${node.memoryGiB.toFixed(1)} GiB`,
    node.node ?? '-',
    verdict(node),
  ]);
  const sum = nodes.filter(({ lacks }) => lacks.length === 0).reduce((all, { numCpus }) => all + numCpus, 0);
  const conclusion =
    numHostNodes === 0
      ? 'No node can be a rollout host.'
      : `${numHostNodes} node${numHostNodes === 1 ? '' : 's'} with ${sum} CPUs can be rollout hosts: \`--runners ray --ray-address ${address} --num-rollout-hosts ${numHostNodes}\`.`;
  return `${found}\n\n${table([head, ...rows])}\n\n${conclusion}`;
}

function verdict({ lacks, resources, labels }: InspectedNode): string {
  if (lacks.length > 0) return `no: ${lacks.join('; ')}`;
  const extras = [...Object.entries(resources), ...Object.entries(labels)].map(
    ([name, value]) => `${name}=${value}`,
  );
  return extras.length === 0 ? 'yes' : `yes (${extras.join(', ')})`;
}
