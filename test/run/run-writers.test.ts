import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';

test.skipIf(process.platform === 'win32')(
  'a log that is full, takes a shorter row and is full again: one warning, every line whole',
  () => {
    const folder = temporaryFolder();
    const script = fileURLToPath(new URL('./write-rows.ts', import.meta.url));
    const sizes = JSON.stringify([500, 500, 100, 500, 500]); // of 1024 bytes; the second and what follows the third do not fit
    const limited = 'ulimit -f 1; trap "" XFSZ; exec "$@"';
    const command = [process.execPath, '--import', 'tsx', script, folder, sizes];
    const { stdout, stderr } = spawnSync('bash', ['-c', limited, '-', ...command], {
      encoding: 'utf8',
      env: { ...process.env, TSX_DISABLE_CACHE: '1' },
    });
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual([expect.stringContaining('Training goes on without it')]);
    const lines = readFileSync(join(folder, 'progress.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).iteration)).toEqual([1, 3]);
  },
);
