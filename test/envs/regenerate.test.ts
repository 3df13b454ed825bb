/** Where Python with gymnasium is found, the fixtures are recorded again and compared with those in the repository. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { doubles, FIXTURES_URL } from './fixtures.ts';

const python = findPython();
const folder = fileURLToPath(FIXTURES_URL);

/** OPERANT_GYM_PYTHON, or a python3 that has gymnasium. */
function findPython(): string | null {
  const candidate = process.env.OPERANT_GYM_PYTHON ?? 'python3';
  try {
    execFileSync(candidate, ['-c', 'import gymnasium'], { stdio: 'ignore' });
    return candidate;
  } catch {
    return null;
  }
}

const CHAOTIC = new Set(['acrobot.json']);

describe.skipIf(python === null)('Gymnasium, here and now', () => {
  it('records the same data', () => {
    const out = mkdtempSync(join(tmpdir(), 'operant-fixtures-'));
    try {
      execFileSync(python as string, [join(folder, 'generate.py'), out]);
      const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
      expect(readdirSync(out).sort()).toEqual(names.sort());
      for (const name of names) {
        const read = (dir: string) => JSON.parse(readFileSync(join(dir, name), 'utf8'));
        const { header: _old, ...kept } = read(folder);
        const { header, ...fresh } = read(out);
        expect(Number(header.numpy.split('.')[0])).toBeGreaterThanOrEqual(2);
        // Sine and cosine differ in the last bit from one build of NumPy to the next.
        expectAlike(fresh, kept, CHAOTIC.has(name) ? 1e-6 : 1e-9, name);
      }
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  }, 120_000);
});

/** Equal structure and text; base64 doubles equal up to `tolerance`. */
function expectAlike(fresh: unknown, kept: unknown, tolerance: number, path: string): void {
  if (typeof kept === 'string' && kept.length >= 12 && kept.length % 4 === 0 && /^[\w+/]+=*$/.test(kept)) {
    const [a, b] = [doubles(fresh as string), doubles(kept)];
    expect(a.length, path).toBe(b.length);
    expect(
      a.every((x, k) => Math.abs(x - b[k]) <= tolerance),
      path,
    ).toBe(true);
    return;
  }
  if (typeof kept !== 'object' || kept === null) {
    expect(fresh, path).toBe(kept);
    return;
  }
  expect(Object.keys(fresh as object), path).toEqual(Object.keys(kept));
  for (const [key, value] of Object.entries(kept)) {
    expectAlike((fresh as Record<string, unknown>)[key], value, tolerance, `${path}.${key}`);
  }
}
