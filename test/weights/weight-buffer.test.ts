import { describe, expect, it } from 'vitest';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { openWeightBuffer, reserveWeightBuffer, statisticsOffset } from '../../src/weights/weight-buffer.ts';

function open(parameterCount = 20, observationSize = 3) {
  const planner = createArenaPlanner();
  const layout = reserveWeightBuffer(planner, parameterCount, observationSize);
  const { buffer } = createArena(planner);
  const read = (version: number, offset: number, length: number) => [
    ...new Float32Array(buffer, openWeightBuffer(buffer, layout).slotAddress(version) + offset, length),
  ];
  return { layout, buffer, weights: openWeightBuffer(buffer, layout), read };
}

describe('the weight buffer', () => {
  it('counts versions from 0; -1 before the first', () => {
    const { weights, buffer, layout } = open();
    expect(weights.version).toBe(-1);
    const parameters = new Float32Array(20);
    expect([0, 1, 2].map(() => weights.publish(parameters, null, null))).toEqual([0, 1, 2]);
    expect(weights.version).toBe(2);
    expect(openWeightBuffer(buffer, layout).version).toBe(2); // another thread's view
  });

  it('leaves the version before readable', () => {
    const { weights, read } = open();
    for (let version = 0; version < 5; version++) {
      weights.publish(new Float32Array(20).fill(version), null, null);
      expect(read(version, 0, 20)).toEqual(new Array(20).fill(version));
      if (version > 0) expect(read(version - 1, 0, 20)).toEqual(new Array(20).fill(version - 1));
    }
  });

  it('publishes observation statistics with the weights, or those that change nothing', () => {
    const { weights, read, layout } = open();
    const { mean, inverseStd } = statisticsOffset(layout);
    weights.publish(new Float32Array(20).fill(9), Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6));
    expect(read(0, mean, 3)).toEqual([1, 2, 3]);
    expect(read(0, inverseStd, 3)).toEqual([4, 5, 6]);
    weights.publish(new Float32Array(20), null, null);
    expect(read(1, mean, 3)).toEqual([0, 0, 0]);
    expect(read(1, inverseStd, 3)).toEqual([1, 1, 1]);
    expect(read(0, mean, 3)).toEqual([1, 2, 3]);
  });

  it('keeps parameters, mean and deviation apart', () => {
    for (const [parameterCount, observationSize] of [
      [1, 1],
      [16, 16],
      [17, 33],
    ]) {
      const { layout } = open(parameterCount, observationSize);
      const { mean, inverseStd } = statisticsOffset(layout);
      expect(mean).toBeGreaterThanOrEqual(4 * parameterCount);
      expect(inverseStd).toBeGreaterThanOrEqual(mean + 4 * observationSize);
      expect(layout.slotBytes).toBeGreaterThanOrEqual(inverseStd + 4 * observationSize);
      expect(Math.abs(layout.slotAddresses[1] - layout.slotAddresses[0])).toBeGreaterThanOrEqual(
        layout.slotBytes,
      );
    }
  });
});
