/**
 * `deterministic` promises the same bits on every machine: these hashes are the same wherever the tests run.
 *
 * A change of the arithmetic changes them, and says so: it makes other runs of every seed.
 */
import { execFile } from 'node:child_process';
import { delimiter } from 'node:path';
import process, { arch, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type GoldenCase, goldenCases, goldenHash } from './fixtures/golden-run.ts';

const GOLDEN: Readonly<Record<GoldenCase, string>> = {
  'CartPole-v1, categorical, 2x64 tanh': 'bdba1620782e99220b2080c1ec4ef11e7e50480dd90afc6f721a9b5969f63c59',
  'CartPole-v1, categorical, shared 7-33-18 silu':
    'd2aceb9bb74d97bffffe2365fd3e95db9e5b17a949e9f7d554b30c4de3fb7f1a',
  'Pendulum-v1, gSDE, 2x64 tanh': 'bcb6a7fa2dd7f5ab38f5de807167d929229dcf0fc1a48d2b7e4f39084a137920',
  'Pendulum-v1, gaussian, 19-5 gelu': '2d888a163711bd51609f2fb1753a0ac1d8a49399cb97e85c123759369098450b',
  'Pendulum-v1, squashed gaussian, 34 elu':
    '3903b14a4960fe72768816d62d1b28fda171e1ed5442aa765ffb737137324fe8',
};
const SCRIPT = fileURLToPath(new URL('./fixtures/golden-run.ts', import.meta.url));

describe('weights and moments after four deterministic iterations', () => {
  test.each(goldenCases)('%s', async (name) => {
    expect(await goldenHash(name, false)).toBe(GOLDEN[name]);
    expect(await goldenHash(name, true), 'with native kernels, where they are').toBe(GOLDEN[name]);
  });

  const others = (process.env.OPERANT_NODES ?? '').split(delimiter).filter((path) => path !== '');
  const variants: readonly (readonly [string, string, readonly string[]])[] = [
    ['an interpreter and the first-tier compiler', execPath, ['--no-opt', '--liftoff', '--no-wasm-tier-up']],
    ...(arch === 'x64' ? ([['no AVX', execPath, ['--no-enable-avx', '--no-enable-fma3']]] as const) : []),
    ...others.map((node) => [node, node, []] as const),
  ];

  // these of WebAssembly: flags of V8 do not change an addon
  test.each(variants)('are the same with %s', async (_, node, flags) => {
    const { stdout } = await promisify(execFile)(node, [...flags, '--import', 'tsx', SCRIPT]);
    expect(JSON.parse(stdout)).toEqual(GOLDEN);
  });
});
