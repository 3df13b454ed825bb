import { describe, expect, it } from 'vitest';
import { type LayerRecord, RECORD_BYTES, writeProgram } from '../../src/simd/layer-program.ts';

describe('writeProgram', () => {
  const block = { address: 64, stride: 64 };
  const record: LayerRecord = {
    layer: {
      name: 'critic/0',
      inputs: 3,
      outputs: 5,
      activation: 'tanh',
      kernelOffset: 0,
      biasOffset: 60,
      normalization: { gainOffset: 80, shiftOffset: 100 },
    },
    input: block,
    output: block,
    isDense: false,
    pre: 0,
    normalization: { rows: 128, inverseStd: 192, gains: 256 },
    backward: {
      gradOutput: block,
      gradInput: null,
      transposed: block,
      accumulates: false,
      inputActivation: 'identity',
      inputPre: 0,
    },
  };
  const write = (changed: Partial<LayerRecord>) =>
    writeProgram(new ArrayBuffer(RECORD_BYTES), 0, [{ ...record, ...changed }]);
  const { normalization: _, ...bare } = record;

  it('takes a normalised layer with scratch, and without where nothing flows back', () => {
    expect(() => write({})).not.toThrow();
    expect(() => writeProgram(new ArrayBuffer(RECORD_BYTES), 0, [{ ...bare, backward: null }])).not.toThrow();
  });

  it('refuses a normalised head, whose rows have no room behind them', () => {
    expect(() => write({ isDense: true })).toThrow(/critic\/0 .* cannot be normalised/);
  });

  it('refuses a way back through normalisation without scratch for it', () => {
    expect(() => writeProgram(new ArrayBuffer(RECORD_BYTES), 0, [bare])).toThrow(
      /critic\/0 .* needs scratch/,
    );
  });
});
