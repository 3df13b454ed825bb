/** Launch files with a real Ray: its own schema of the cluster launcher's, and the batch file run on one machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { findRay } from './ray-cluster.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PYTHON = process.env.OPERANT_RAY_PYTHON ?? 'python3';
const VALIDATE = `import json, os, sys, yaml, jsonschema, ray
path = os.path.join(os.path.dirname(ray.__file__), "autoscaler", "ray-schema.json")
jsonschema.validate(yaml.safe_load(sys.stdin), json.load(open(path)))`;

const manifest = async (...argv: string[]) => (await operant('ray', 'manifest', ...argv)).stdout;
const validate = (input: string) => spawnSync(PYTHON, ['-c', VALIDATE], { input, encoding: 'utf8' });

/** An executable with this text. */
function program(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/bash\n${text}\n`);
  chmodSync(path, 0o755);
}

describe.skipIf(findRay() === null)('with Ray', { timeout: 240_000 }, () => {
  test.each([
    [['vm', '--max-hosts', '8']],
    [['vm', '--provider', 'local', '--head-ip', '10.0.0.1', '--host-ips', '10.0.0.2,10.0.0.3']],
  ])('%o: what `ray up` takes', async (argv) => {
    const text = await manifest(...argv);
    expect(validate(text)).toMatchObject({ status: 0, stderr: '' });
    expect(validate(text.replace('max_workers', 'most_workers')).stderr).toContain('most_workers');
  });

  test('slurm: the batch file trains, with a token of its own, and leaves neither it nor a process', async () => {
    const folder = temporaryFolder();
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    // What Slurm would be on a machine alone, and `operant` of this clone.
    program(bin, 'scontrol', 'echo 127.0.0.1');
    program(bin, 'srun', 'shift; exec "$@"');
    program(bin, 'operant', `exec node --import ${root}.ci/typescript.mjs ${root}src/cli/main.ts "$@"`);
    const script = await manifest(
      ...['slurm', '--num-hosts', '1', '--cpus-per-host', '2', '--runs', join(folder, 'runs')],
      ...['--', 'train', '--env', 'CartPole', '--stop-iterations', '2'],
    );
    writeFileSync(join(folder, 'job.sbatch'), script);
    const python = execFileSync(PYTHON, ['-c', 'import sys; print(sys.executable)'], {
      encoding: 'utf8',
    }).trim();
    const { RAY_AUTH_MODE: _, RAY_AUTH_TOKEN: __, ...environment } = process.env;
    const { status, stdout, stderr } = spawnSync('bash', [join(folder, 'job.sbatch')], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...environment,
        PATH: `${bin}:${dirname(python)}:${process.env.PATH}`,
        OPERANT_PYTHON: python,
        SLURM_JOB_ID: String(process.pid),
        SLURM_JOB_NODELIST: 'here',
        SLURM_JOB_NUM_NODES: '1',
      },
    });
    expect(stdout + stderr).toMatch(/on 1 rollout host of the Ray cluster auto/);
    expect(status).toBe(0);
    expect(readdirSync(join(folder, 'runs'))).toEqual(['operant']);
    expect(readFileSync(join(folder, 'runs/operant/progress.jsonl'), 'utf8').trim().split('\n')).toHaveLength(
      2,
    );
  });
});
