/** A file for Ray's cluster launcher (`ray up`): machines of a cloud, or some that are there already. */
import { type LaunchOptions, quoted, RAY_VERSION } from './launch-options.ts';

/** How machines are come by. */
export type Provider =
  | { readonly kind: 'aws'; readonly region: string; readonly headType: string; readonly hostType: string }
  | { readonly kind: 'local'; readonly head: string; readonly hosts: readonly string[] };

export function launcherFile(options: LaunchOptions, provider: Provider, user: string): string {
  const { name, numHosts, maxHosts, image, runs } = options;
  return `${[
    '# ray up FILE; ray dashboard FILE (a tunnel to port 8265); `operant ray submit -- train ...`; ray down FILE.',
    `# Every machine needs Docker and the image, which holds Node, Operant and ray[default]==${RAY_VERSION}.`,
    `cluster_name: ${quoted(name)}`,
    `max_workers: ${provider.kind === 'local' ? provider.hosts.length : (maxHosts ?? numHosts)}`,
    'docker:',
    `  image: ${quoted(image)}`,
    '  container_name: ray',
    '  pull_before_run: true',
    '  run_options:',
    '    - --ulimit nofile=65536:65536',
    `    - ${quoted(`--volume ${runs}:/runs`)}`,
    ...providerLines(provider, options),
    'auth:',
    `  ssh_user: ${quoted(user)}`,
    '# The same on every machine: make it once, `openssl rand -hex 32 > ray-token`, beside this file.',
    'file_mounts:',
    '  /home/node/.ray/auth_token: ./ray-token',
    'head_start_ray_commands:',
    '  - ray stop',
    `  - ${quoted(`RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0 ray start --head --port 6379 --num-cpus 0 --autoscaling-config ~/ray_bootstrap_config.yaml`)}`,
    'worker_start_ray_commands:',
    '  - ray stop',
    `  - ${quoted('RAY_AUTH_MODE=token ray start --address "$RAY_HEAD_IP:6379"')}`,
  ].join('\n')}\n`;
}

function providerLines(provider: Provider, { numHosts, maxHosts, cpusPerHost }: LaunchOptions): string[] {
  if (provider.kind === 'local')
    return [
      'provider:',
      '  type: local',
      `  head_ip: ${quoted(provider.head)}`,
      `  worker_ips: [${provider.hosts.map(quoted).join(', ')}]`,
    ];
  return [
    'provider:',
    '  type: aws',
    `  region: ${quoted(provider.region)}`,
    '  cache_stopped_nodes: false',
    'available_node_types:',
    '  head:',
    '    resources: {"CPU": 0}',
    '    node_config:',
    `      InstanceType: ${quoted(provider.headType)}`,
    '  host:',
    `    min_workers: ${numHosts}`,
    `    max_workers: ${maxHosts ?? numHosts}`,
    `    resources: {"CPU": ${cpusPerHost}}`,
    '    node_config:',
    `      InstanceType: ${quoted(provider.hostType)}`,
    'head_node_type: head',
  ];
}
