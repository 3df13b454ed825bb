/** A study on a disk that becomes full. Needs a file system of its own: Linux, where `unshare --mount` is allowed; skipped elsewhere. */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const isolated = (script: string, ...args: string[]) =>
  spawnSync('unshare', ['--map-root-user', '--mount', 'sh', '-c', script, '-', ...args], {
    encoding: 'utf8',
  });
const canMount = isolated('mount -t tmpfs tmpfs /mnt').status === 0;

it.skipIf(!canMount)(
  'ends, fails no trial for it, and goes on where there is room',
  async () => {
    const [small, kept] = [temporaryFolder(), join(temporaryFolder(), 'study')];
    const study = join(small, 'study');
    const tune = [
      ...[
        process.execPath,
        '--import',
        import.meta.resolve('tsx'),
        MAIN,
        'tune',
        '--env',
        'CartPole',
        '--no-tuned',
      ],
      ...['--num-envs', '2', '--rollout-length', '32', '--minibatch-size', '64', '--hidden-sizes', '128,128'],
      ...['--space', '{"learningRate":{"choice":[0.001,0.002,0.003,0.004]}}', '--searcher', 'grid'],
      ...['--trial-steps', '64', '--final-seeds', '0', '--parallel', '1', '--out', study],
    ];
    const script =
      'mount -t tmpfs -o size=1200k tmpfs "$1"; to=$2; from=$3; shift 3; "$@"; status=$?; cp -r "$from" "$to"; exit $status';
    const full = isolated(script, small, kept, study, ...tune);
    expect(full.stderr).toMatch(/^error: No space left for the study: .*resume it/);
    expect(full.status).toBe(1);
    expect(readFileSync(join(kept, 'journal.log'), 'utf8')).not.toMatch(/"state":3/);
    const copy = join(temporaryFolder(), 'study');
    cpSync(kept, copy, { recursive: true });
    const resumed = await operant('tune', '--resume', copy);
    expect(resumed.exitCode).toBe(0);
    expect(readFileSync(join(copy, 'report.md'), 'utf8')).toContain('4 complete, 0 stopped, 0 failed');
  },
  240_000,
);
