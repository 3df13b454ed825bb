/** `operant/policy` through bundlers: what it weighs, and that it runs where there is neither Node nor a browser's page. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import { describe, expect, test } from 'vitest';
import type * as portable from '../../src/exports/policy.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';

const entryOf = (name: string) => fileURLToPath(new URL(`../../src/exports/${name}.ts`, import.meta.url));
const ENTRIES = [
  ['policy', 30_000],
  ['recurrent-policy', 34_500],
] as const;

/** What it weighs is the ES module; what runs in a context of its own is a script. */
type Format = 'es' | 'iife';

async function byEsbuild(name: string, format: Format): Promise<string> {
  const { outputFiles } = await esbuild({
    entryPoints: [entryOf(name)],
    bundle: true,
    minify: true,
    format: format === 'es' ? 'esm' : 'iife',
    ...(format === 'iife' && { globalName: 'operant' }),
    platform: 'browser',
    write: false,
    logLevel: 'error', // an import of Node's is an error for the platform
  });
  return outputFiles[0].text;
}

/** Vite leaves the whitespace in ES modules of a library. */
async function byVite(name: string): Promise<string> {
  const result = await vite({
    configFile: false,
    logLevel: 'error',
    build: { write: false, minify: true, lib: { entry: entryOf(name), formats: ['iife'], name: 'operant' } },
  });
  const [{ output }] = result as { output: { code: string }[] }[];
  return output[0].code;
}

describe.each([
  ['esbuild', byEsbuild],
  ['Vite', byVite],
] as const)('bundled by %s', (_, bundle) => {
  test.each(ENTRIES)(
    '%s weighs at most %d bytes, and acts with what every platform has',
    async (name, maxBytes) => {
      expect((await bundle(name, 'es')).length).toBeLessThanOrEqual(maxBytes);
      const code = await bundle(name, 'iife');
      // No process, Buffer, require, document or worker: an edge function has no more than this.
      const platform = vm.createContext({ TextDecoder, URL, crypto: globalThis.crypto });
      vm.runInContext(`${code}; globalThis.operant = operant;`, platform);
      const { loadPolicy } = (platform as { operant: typeof portable }).operant;
      const folder = await shippedCheckpoint('ppo, categorical');
      const policy = await loadPolicy({
        read: (path) => readFile(join(folder, path)).catch(() => null),
      });
      expect(policy.probabilities([0, 0, 0, 0])[0][0]).toBeGreaterThan(0);
    },
  );
});
