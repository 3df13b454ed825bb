/** Launch files: KubeRay's fields by name and type, Slurm's by a shell, images by what they say they hold; flags that do nothing are refused. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { RAY_VERSION } from '../../src/cluster/launch/launch-options.ts';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A type's name, an object's fields, or an array's one example. */
type Facts = string | { readonly [field: string]: Facts | readonly string[] } | readonly [Facts];
const { RayJob } = JSON.parse(
  readFileSync(new URL('./fixtures/kuberay-fields.json', import.meta.url), 'utf8'),
) as { readonly RayJob: Exclude<Facts, string | readonly [Facts]> };

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
  number: (value) => typeof value === 'number',
  'int-or-string': (value) => typeof value === 'string' || Number.isInteger(value),
  map: (value) =>
    Object.values(value as object).every((each) => typeof each === 'string' || Number.isInteger(each)),
};

/** What is wrong with a value by the facts, each with its path. */
function problems(value: unknown, facts: Facts, path: string): string[] {
  if (typeof facts === 'string') {
    const isFine = TYPES[facts]?.(value) ?? false;
    return isFine ? [] : [`${path}: ${JSON.stringify(value)} is no ${facts}`];
  }
  if (Array.isArray(facts)) {
    if (!Array.isArray(value)) return [`${path} is no array`];
    return value.flatMap((each, k) => problems(each, facts[0], `${path}[${k}]`));
  }
  const fields = facts as Readonly<Record<string, Facts>>;
  const given = value as Readonly<Record<string, unknown>>;
  const required = (fields['(required)'] ?? []) as unknown as readonly string[];
  return [
    ...required.filter((name) => !(name in given)).map((name) => `${path}.${name} is missing`),
    ...Object.entries(given).flatMap(([name, each]) =>
      fields[name] === undefined
        ? [`${path}.${name} is no field`]
        : problems(each, fields[name], `${path}.${name}`),
    ),
  ];
}

async function manifest(...argv: string[]) {
  const { stdout, stderr, exitCode } = await operant('ray', 'manifest', ...argv);
  return { stdout, stderr, exitCode };
}

describe('kuberay', () => {
  test('a job: its command, fields of a RayJob, a token, the volume for runs', async () => {
    const { stdout } = await manifest(
      'kuberay',
      '--name',
      'cart',
      '--num-hosts',
      '3',
      '--',
      'train',
      '--env',
      "./a b's.ts",
    );
    const { apiVersion, kind, spec } = parse(stdout);
    expect([apiVersion, kind]).toEqual(['ray.io/v1', 'RayJob']);
    expect(problems(spec, RayJob, 'spec')).toEqual([]);
    expect(spec.entrypoint).toBe(
      "operant train --env './a b'\\''s.ts' --runners ray --ray-address auto --num-rollout-hosts 3 --num-env-runners 4 --out /runs/cart",
    );
    const cluster = spec.rayClusterSpec;
    expect(cluster).toMatchObject({ rayVersion: RAY_VERSION, authOptions: { mode: 'token' } });
    expect(cluster.workerGroupSpecs).toMatchObject([{ replicas: 3, minReplicas: 3, maxReplicas: 3 }]);
    expect(cluster.headGroupSpec.template.spec.volumes[0].persistentVolumeClaim.claimName).toBe(
      'operant-runs',
    );
  });

  test('a cluster that grows, with a GPU for the learner', async () => {
    const { stdout } = await manifest(
      'kuberay',
      '--max-hosts',
      '8',
      '--gpus',
      '1',
      '--runs',
      'claim',
      '--image',
      'registry/x:1',
    );
    const { kind, spec } = parse(stdout);
    expect(kind).toBe('RayCluster');
    expect(problems(spec, RayJob.rayClusterSpec as Facts, 'spec')).toEqual([]);
    expect(spec).toMatchObject({
      enableInTreeAutoscaling: true,
      workerGroupSpecs: [{ minReplicas: 2, maxReplicas: 8 }],
    });
    const [head] = spec.headGroupSpec.template.spec.containers;
    expect(head.resources.limits['nvidia.com/gpu']).toBe('1');
    const [host] = spec.workerGroupSpecs[0].template.spec.containers;
    expect(host).toMatchObject({ image: 'registry/x:1', resources: { limits: { cpu: '4', memory: '8Gi' } } });
    expect(host.resources.limits).not.toHaveProperty('nvidia.com/gpu');
  });

  test('the check finds what is wrong', () => {
    const spec = {
      entrypoint: 1,
      nothing: true,
      rayClusterSpec: { headGroupSpec: {}, workerGroupSpecs: [{}] },
    };
    expect(problems(spec, RayJob, 'spec')).toEqual([
      'spec.entrypoint: 1 is no string',
      'spec.nothing is no field',
      'spec.rayClusterSpec.headGroupSpec.template is missing',
      ...['groupName', 'maxReplicas', 'minReplicas', 'template'].map(
        (name) => `spec.rayClusterSpec.workerGroupSpecs[0].${name} is missing`,
      ),
    ]);
  });
});

test('slurm: a script that a shell can read, its options, the token in a file', async () => {
  const { stdout } = await manifest(
    'slurm',
    '--num-hosts',
    '16',
    '--gpus',
    '1',
    '--',
    'train',
    '--env',
    'CartPole',
    '--out',
    '/scratch/x',
  );
  const path = join(temporaryFolder(), 'job.sbatch');
  writeFileSync(path, stdout);
  execFileSync('bash', ['-n', path]);
  const options = Object.fromEntries(
    [...stdout.matchAll(/^#SBATCH --([\w-]+)=(.+)$/gm)].map(([, name, value]) => [name, value]),
  );
  expect(options).toEqual({
    'job-name': 'operant',
    nodes: '16',
    'ntasks-per-node': '1',
    'cpus-per-task': '4',
    mem: '8G',
    'gpus-per-task': '1',
    signal: 'B:TERM@120',
  });
  expect(stdout).toMatch(/^#SBATCH --exclusive$/m);
  expect(stdout).toContain('operant train --env CartPole --out /scratch/x --runners ray');
  expect(stdout).not.toMatch(/RAY_AUTH_TOKEN=/);
});

test('a file that is there is left alone', async () => {
  const out = join(temporaryFolder(), 'cluster.yaml');
  expect(await manifest('vm', '--out', out)).toMatchObject({ exitCode: 0, stdout: `${out}\n` });
  expect(await manifest('vm', '--out', out)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('is there already'),
  });
});

test.each([
  [['docker'], /Expected `operant ray manifest` kuberay, slurm, vm, got `docker`/],
  [['slurm', '--image', 'x'], /--image has no effect on slurm: it is of kuberay and vm/],
  [
    ['kuberay', '--num-hosts', '4', '--max-hosts', '2'],
    /Expected --max-hosts to be an integer in \[4, 10000\], got `2`/,
  ],
  [['kuberay', '--name', 'Über'], /Expected --name to be lower case letters/],
  [['vm', '--', 'train'], /starts a cluster and no run/],
  [['vm', '--provider', 'local'], /wants --head-ip and --host-ips/],
  [['kuberay', '--', '--env'], /Expected a command of operant behind `--`/],
])('%o', async (argv, message) => {
  expect(await manifest(...argv)).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(message) });
});

test.each(['Dockerfile', 'Dockerfile.cuda'])(
  '%s: the Ray that is tested, and without asking the image without it',
  (name) => {
    const text = readFileSync(join(root, name), 'utf8');
    expect(/^ARG RAY_VERSION=(.+)$/m.exec(text)?.[1]).toBe(RAY_VERSION);
    const [minor] = /^\d+\.\d+/.exec(RAY_VERSION) ?? [];
    expect(readFileSync(join(root, '.ci/run'), 'utf8')).toContain(`ray[default]==${minor}.*`);
    const stages = [...text.matchAll(/^FROM (\S+)(?: AS (\S+))?$/gm)].map(([, from, as]) => ({ from, as }));
    expect(stages.at(-1)).toEqual({ from: 'operant', as: undefined });
    const known = new Set(['$' + '{NODE_IMAGE}']);
    for (const { from, as } of stages) {
      expect(known).toContain(from);
      if (as !== undefined) known.add(as);
    }
    for (const [, from] of text.matchAll(/^COPY --from=(\S+)/gm)) expect(known).toContain(from);
  },
);
