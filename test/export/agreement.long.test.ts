/** Ten thousand random observations a kind of policy: every export against the plain policy, output by output, and what is drawn from its outputs against what the kernels draw. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { writeExport } from '../../src/export/export-policy.ts';
import { type ExportSource, openExportSource } from '../../src/export/policy-source.ts';
import { createSelfTest, type FoundOutputs } from '../../src/export/self-test.ts';
import { verifyExport } from '../../src/export/verify/verify-export.ts';
import { Box } from '../../src/index.ts';
import { isBehaviour } from '../../src/policy/policy-spec.ts';
import { openStream } from '../../src/random/streams.ts';
import { chiSquareBound, chiSquareOf, kolmogorovBound, kolmogorovOf } from '../reference/drawn-alike.ts';
import { actOnKernels } from '../reference/kernel-rows.ts';
import { ACTIVATION_NAMES } from '../reference/policy-specs.ts';
import { SHIPPED_POLICIES, shippedCheckpoint } from '../reference/shipped-policies.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { type Gap, gapsOf } from './fixtures/agreement.ts';
import { foundOutputs, RUN_FORMATS } from './fixtures/found-outputs.ts';
import { activationSource, CELLS, cellSource, convSource } from './fixtures/random-sources.ts';

const NUM_ROWS = 10_000;
/** Of an output's scale. */
const TOLERANCE = 1e-6;
const TIMEOUT_MS = 300_000;
const hasCompiler = spawnSync('cc', ['--version']).status === 0;
if (!hasCompiler) console.log('No C compiler (cc): C exports are not compiled.');

const shipped = async (name: string) => openExportSource(await shippedCheckpoint(name));
const KINDS: readonly (readonly [string, () => ExportSource | Promise<ExportSource>])[] = [
  ...SHIPPED_POLICIES.map((name) => [name, () => shipped(name)] as const),
  ...ACTIVATION_NAMES.map((name) => [`activation ${name}`, () => activationSource(name)] as const),
  ['convolutions', convSource],
  ...CELLS.map((cell) => [`recurrent: ${JSON.stringify(cell)}`, () => cellSource(...cell)] as const),
];

const largest = new Map<string, Gap & { readonly kind: string }>();
function note(of: string, kind: string, gaps: readonly Gap[]): void {
  for (const gap of gaps)
    for (const by of ['absolute', 'ofScale'] as const) {
      const place = `${of}, largest ${by}`;
      if (gap[by] >= (largest.get(place)?.[by] ?? 0)) largest.set(place, { ...gap, kind });
    }
}
afterAll(() => {
  for (const [place, { kind, output, absolute, ofScale }] of largest)
    console.log(
      `${place}: ${absolute.toExponential(1)}, ${ofScale.toExponential(1)} of its scale: ${output} of ${kind}`,
    );
});

describe.each(KINDS)('%s', (kind, open) => {
  test('every export says what the plain policy says', { timeout: TIMEOUT_MS }, async () => {
    const source = await open();
    const rows = createSelfTest(source, source.observationSpace, NUM_ROWS);
    for (const to of RUN_FORMATS) {
      if (to === 'c' && !hasCompiler) continue;
      const gaps = gapsOf(rows.outputs, await foundOutputs(source, to, rows, temporaryFolder()));
      note(to, kind, gaps);
      for (const { output, ofScale } of gaps)
        expect(ofScale, `${to}: ${output}`).toBeLessThanOrEqual(TOLERANCE);
    }
  });
});

describe.each(SHIPPED_POLICIES)('%s', (kind) => {
  test('safetensors say to the bit what the plain policy says', { timeout: TIMEOUT_MS }, async () => {
    const source = await shipped(kind);
    const rows = createSelfTest(source, source.observationSpace, NUM_ROWS);
    const files = await writeExport(source, rows, 'safetensors', join(temporaryFolder(), 'model.json'));
    expect((await verifyExport('safetensors', files, rows)).largestDifference).toBe(0);
  });
});

describe.each(SHIPPED_POLICIES.filter((name) => /^(ppo|sac|tqc)/.test(name)))('%s', (kind) => {
  test('what is drawn as the documentation says is drawn alike', { timeout: TIMEOUT_MS }, async () => {
    const source = await shipped(kind);
    const rows = createSelfTest(source, source.observationSpace, 1);
    const found = await foundOutputs(source, 'js', rows, temporaryFolder());
    const repeat = (values: readonly number[]) => Array.from({ length: NUM_ROWS }, () => values).flat();
    const masks = rows.masks === null ? null : repeat(rows.masks);
    const many = { numRows: NUM_ROWS, observations: repeat(rows.observations), masks };
    const { actions } = await actOnKernels(source, many, 7);
    const A = actions.length / NUM_ROWS;
    for (let a = 0; a < A; a++) {
      const own = Array.from({ length: NUM_ROWS }, (_, row) => actions[row * A + a]);
      const drawn = drawAsDocumented(source, found, a, 1);
      if (source.actionSpace instanceof Box) {
        expect(kolmogorovOf(drawn, own)).toBeLessThan(kolmogorovBound(NUM_ROWS));
        expect(kolmogorovOf(drawAsDocumented(source, found, a, 1.3), own)).toBeGreaterThan(
          kolmogorovBound(NUM_ROWS),
        );
      } else expect(chiSquareOf(drawn, own)).toBeLessThan(chiSquareBound(new Set(own).size));
    }
  });
});

/** Element `a` of ten thousand actions of the first row. @param wider times the deviation that the export says. */
function drawAsDocumented({ spec }: ExportSource, found: FoundOutputs, a: number, wider: number): number[] {
  const { distribution } = spec;
  const stream = openStream(11, 'documented', String(a));
  if (distribution.kind === 'bernoulli')
    return Array.from({ length: NUM_ROWS }, () => (stream.uniform() < found.probabilities[a] ? 1 : 0));
  if ('sizes' in distribution) {
    const first = distribution.sizes.slice(0, a).reduce((sum, size) => sum + size, 0);
    return Array.from({ length: NUM_ROWS }, () => {
      let [k, left] = [0, stream.uniform()];
      while (k < distribution.sizes[a] - 1 && left >= found.probabilities[first + k])
        left -= found.probabilities[first + k++];
      return k;
    });
  }
  if (distribution.kind === 'product') throw new TypeError('Exports have actions of one kind.');
  const { low, high } = distribution;
  const isSquashed = isBehaviour(distribution) || distribution.squash;
  return Array.from({ length: NUM_ROWS }, () => {
    const u = found.mean[a] + wider * found.std[a] * stream.normal();
    const action = isSquashed
      ? low[a] + ((Math.tanh(u) + 1) / 2) * (high[a] - low[a])
      : Math.min(high[a], Math.max(low[a], u));
    return Math.fround(action);
  });
}
