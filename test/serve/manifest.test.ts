/** Manifests as `operant manifest` writes them: what they start is a server as it is, and Kubernetes' own schemas find nothing. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseFlags } from '../../src/cli/flags.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { SERVE_FLAGS } from '../../src/cli/serve-command.ts';
import { METRIC_PREFIX, metricDeclarations } from '../../src/serve/metric-declarations.ts';
import { temporaryFolder } from '../temporary-folder.ts';

async function write(...flags: string[]) {
  const [out, err]: string[][] = [[], []];
  const stream = (lines: string[]) => ({ write: (text: string) => lines.push(text) > 0 });
  const exitCode = await runCommand(['manifest', ...flags], {
    stdout: stream(out),
    stderr: stream(err),
  } as never);
  const text = out.join('');
  const objects = parseAllDocuments(text).map((document) => document.toJS());
  return { exitCode, text, error: err.join(''), objects, kinds: objects.map(({ kind }) => kind) };
}

const MINIMUM = ['--image', 'operant:1', '--policy', 'cart=/models/cart'];
const SETS: readonly (readonly string[])[] = [
  MINIMUM,
  [
    ...MINIMUM,
    '--claim',
    'models',
    '--autoscaler',
    'hpa',
    '--replicas',
    '3',
    '--max-replicas',
    '20',
    '--session-affinity',
  ],
  [
    ...MINIMUM,
    '--autoscaler',
    'keda',
    '--prometheus',
    'http://prometheus:9090',
    '--name',
    'walker',
    '--trust',
    '--workers',
    '2',
  ],
];

const validator = process.env.OPERANT_KUBERNETES_VALIDATE;
if (validator === undefined)
  console.log('No OPERANT_KUBERNETES_VALIDATE: manifests are not held against the schemas of Kubernetes.');

describe.each(SETS)('%s %s %s %s %s %s %s %s', (...flags) => {
  test.skipIf(validator === undefined)(
    'the schemas of Kubernetes find nothing, and find a misspelt field',
    async () => {
      const { text, objects } = await write(...flags);
      const validate = (content: string) => {
        const file = join(temporaryFolder(), 'manifest.yaml');
        writeFileSync(file, content);
        const { status, stdout, stderr } = spawnSync(validator ?? '', ['--strict', file], {
          encoding: 'utf8',
        });
        return { status, said: stdout + stderr };
      };
      const { status, said } = validate(text);
      expect(status, said).toBe(0);
      const known = objects.filter(({ apiVersion }) => !apiVersion.startsWith('keda'));
      expect(said.match(/passed/g)).toHaveLength(known.length);
      expect(validate(text.replace('maxUnavailable', 'maxUnavailabel')).status).not.toBe(0);
    },
  );

  test('the container starts a server with flags that it knows, where probes and services look for it', async () => {
    const { objects } = await write(...flags);
    const [deployment, service, budget] = objects;
    const { template, selector } = deployment.spec;
    const [container] = template.spec.containers;
    expect(container.command).toEqual(['operant', 'serve']);
    const given = parseFlags(container.args, SERVE_FLAGS);
    expect(Object.fromEntries(given)).toMatchObject({
      policy: 'cart=/models/cart',
      host: '0.0.0.0',
      'admin-host': '0.0.0.0',
    });
    const ports = Object.fromEntries(
      container.ports.map((port: { name: string; containerPort: number }) => [
        port.name,
        String(port.containerPort),
      ]),
    );
    expect(ports).toEqual({ http: given.get('port'), admin: given.get('admin-port') });
    expect(service.spec.ports[0].targetPort).toBe('http');
    expect(container.readinessProbe.httpGet).toEqual({ path: '/health/ready', port: 'http' });
    for (const labels of [service.spec.selector, budget.spec.selector.matchLabels, selector.matchLabels])
      expect(template.metadata.labels).toEqual(labels);
    const volumes = (template.spec.volumes ?? []).map(({ name }: { name: string }) => name);
    expect((container.volumeMounts ?? []).map(({ name }: { name: string }) => name)).toEqual(volumes);
  });
});

test('an autoscaler asks for a metric that the server has, and the deployment leaves the number of pods to it', async () => {
  const names = metricDeclarations().map(([name]) => METRIC_PREFIX + name);
  const plain = await write(...SETS[0]);
  expect([plain.kinds, plain.objects[0].spec.replicas]).toEqual([
    ['Deployment', 'Service', 'PodDisruptionBudget'],
    2,
  ]);
  const hpa = (await write(...SETS[1])).objects;
  expect(names).toContain(hpa[3].spec.metrics[0].pods.metric.name);
  expect([hpa[0].spec.replicas, hpa[3].spec.minReplicas, hpa[3].spec.maxReplicas]).toEqual([
    undefined,
    3,
    20,
  ]);
  const [keda] = (await write(...SETS[2])).objects.slice(3);
  expect(keda.kind).toBe('ScaledObject');
  expect(names).toContain(/operant_serve_\w+/.exec(keda.spec.triggers[0].metadata.query)?.[0]);
  expect(keda.spec.scaleTargetRef).toEqual({ name: 'walker' });
});

test.each([
  [['--policy', 'x'], /--image/],
  [['--image', 'x'], /--policy/],
  [[...MINIMUM, '--name', 'Walker_1'], /--name.*Walker_1/],
  [[...MINIMUM, '--autoscaler', 'vpa'], /none, hpa or keda, got vpa/],
  [[...MINIMUM, '--autoscaler', 'keda'], /--prometheus/],
  [[...MINIMUM, '--max-replicas', '3'], /autoscaler/],
  [[...MINIMUM, '--autoscaler', 'hpa', '--replicas', '5', '--max-replicas', '3'], /--max-replicas.*got `3`/],
  [[...MINIMUM, '--memory', 'much'], /--memory.*much/],
  [[...MINIMUM, '--port', '1'], /port/],
] as const)('%s is refused', async (flags, message) => {
  const { exitCode, error, text } = await write(...flags);
  expect([exitCode, text]).toEqual([2, '']);
  expect(error).toMatch(message);
});

test("the Dockerfile's server has a health check at a path that it answers, and no target is what it was", () => {
  const text = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
  const stages = text.split(/^FROM /m).slice(1);
  const serve = stages.find((stage) => / AS serve\n/.test(stage)) ?? '';
  expect(serve).toMatch(/HEALTHCHECK[\s\S]*http:\/\/127\.0\.0\.1:8000\/health\/ready/);
  const entry = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(serve)?.[1] ?? '[]') as string[];
  expect(parseFlags(entry.slice(2), SERVE_FLAGS).get('port')).toBe('8000');
  expect(stages.at(-1)).toBe('operant\n');
});
