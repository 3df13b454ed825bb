/** A block of rows, or of sequences, through one tower: gathered, forward, the loss's gradient, back. One of these per thread. */
import type { Arena } from '../../memory/arena.ts';
import { actionDtype, actionSize, distributionSize, type PolicySpec } from '../../policy/policy-spec.ts';
import type { Kernels } from '../../simd/kernel-exports.ts';
import { BLOCK_ROWS, policyLayers } from '../../simd/layer-program.ts';
import type { GradientChunk, OutputGradient } from '../output-gradient.ts';
import { type ControlViews, Word } from './control.ts';
import type { SimdLearnerLayout, SimdLearnerOptions } from './layout.ts';
import { createSequenceRows, type GatherObservations } from './sequence-rows.ts';
import { createThreadPlan, type RowScratch, shownLatentSize, type TowerProgram } from './tower-plan.ts';

export interface ThreadContextOptions {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly spec: PolicySpec;
  readonly options: SimdLearnerOptions;
  readonly layout: SimdLearnerLayout;
  readonly outputGradient: OutputGradient;
  readonly threadIndex: number;
}

type MutableChunk = { -readonly [K in keyof GradientChunk]: GradientChunk[K] };

function createChunk(
  { kernels, arena, spec, layout, outputGradient }: ThreadContextOptions,
  rows: RowScratch,
  tower: TowerProgram,
  scalars: Float32Array,
): MutableChunk {
  const { buffer } = arena;
  const { logStd } = policyLayers(spec);
  const P = distributionSize(spec.distribution);
  const numActions = BLOCK_ROWS * actionSize(spec.distribution);
  const floats = (address: number, length: number) => new Float32Array(buffer, address, length);
  const latentStride = tower.latent.stride / 4;
  return {
    numRows: 0,
    minibatchRows: 0,
    distributionParameters: floats(rows.outputs, BLOCK_ROWS * P),
    values: floats(rows.values, BLOCK_ROWS),
    latent: floats(tower.latent.address, shownLatentSize(spec) > 0 ? BLOCK_ROWS * latentStride : 0),
    latentStride,
    logStd: floats(layout.parameters + logStd.offset, logStd.size),
    actions:
      actionDtype(spec.distribution) === 'int32'
        ? new Int32Array(buffer, rows.actions, numActions)
        : floats(rows.actions, numActions),
    masks: new Uint8Array(buffer, rows.masks, BLOCK_ROWS * spec.actionMaskSize),
    oldLogProbs: floats(rows.oldLogProbs, BLOCK_ROWS),
    oldValues: floats(rows.oldValues, BLOCK_ROWS),
    advantages: floats(rows.advantages, BLOCK_ROWS),
    returns: floats(rows.returns, BLOCK_ROWS),
    scalars: scalars.subarray(0, outputGradient.scalarNames.length),
    gradDistributionParameters: floats(rows.gradOutputs, BLOCK_ROWS * P),
    gradValues: floats(rows.gradValues, BLOCK_ROWS),
    gradLogStd: floats(rows.gradLogStd, logStd.size),
    stats: new Float64Array(outputGradient.statNames.length),
    openCategorical: kernels.openCategorical,
  };
}

/** Copies a block's rows of the rollout into scratch, by shuffled index; `start` in the epoch's order. Those that lie there already, from the same phase, stay. */
function createGather(setup: ThreadContextOptions, rows: RowScratch, words: Int32Array) {
  const { kernels, spec, layout } = setup;
  const A = actionSize(spec.distribution);
  const isBytes = spec.observationDtype === 'uint8' ? 1 : 0;
  const observationStride = spec.observationSize * (isBytes ? 1 : 4);
  const column = (k: number) => words[Word.ADDRESSES + k] >>> 0; // as ADDRESS_COLUMNS
  const gatherObservations: GatherObservations = (indices, numRows, { address, stride }, offset) =>
    kernels.gatherObservations(
      column(0),
      observationStride,
      indices,
      numRows,
      spec.observationSize,
      isBytes,
      words[Word.NORMALIZE_OBSERVATIONS] ? layout.observationMean : 0,
      layout.observationInverseStd,
      spec.clipObservation,
      address + offset * stride,
      stride,
    );
  const lying = { phase: -1, start: 0, numRows: 0 };
  const begin = (phase: number) => {
    if (phase === lying.phase) return;
    lying.phase = phase;
    lying.numRows = 0;
  };
  const gather = (tower: TowerProgram, start: number, numRows: number) => {
    const indices = layout.permutations + 4 * (words[Word.EPOCH] * words[Word.NUM_SAMPLES] + start);
    if (tower.cells === null && (lying.start !== start || lying.numRows !== numRows)) {
      gatherObservations(indices, numRows, rows.observations, 0);
      lying.start = start;
      lying.numRows = numRows;
    }
    if (tower.hasActor) {
      kernels.gatherWords(column(1), indices, numRows, A, rows.actions);
      if (spec.actionMaskSize > 0)
        kernels.gatherBytes(column(2), indices, numRows, spec.actionMaskSize, rows.masks);
      kernels.gatherWords(column(3), indices, numRows, 1, rows.oldLogProbs);
      kernels.gatherWords(layout.advantages + 4 * start, 0, numRows, 1, rows.advantages);
    }
    if (tower.hasCritic) {
      kernels.gatherWords(column(4), indices, numRows, 1, rows.oldValues);
      kernels.gatherWords(column(5), indices, numRows, 1, rows.returns);
    }
  };
  return { begin, gather, gatherObservations };
}

/** Runs blocks; which rows a block has is the caller's to say. */
export function createTowerRows(setup: ThreadContextOptions, { words, reals, scalars }: ControlViews) {
  const { kernels, arena, spec, layout } = setup;
  const base = layout.threads[setup.threadIndex].offset;
  const { rows, towers, sequences } = createThreadPlan(spec, arena.buffer, base, layout.sequences);
  const chunks = towers.map((tower) => createChunk(setup, rows, tower, scalars));
  const { begin, gather, gatherObservations } = createGather(setup, rows, words);
  const ofSequences =
    sequences === null || layout.sequences === null
      ? null
      : createSequenceRows(setup, sequences, layout.sequences, words, gatherObservations);
  const runRows = createRowRunner(setup, towers, chunks, gather);
  // the phase for which a tower's transposed kernels were made, in this thread
  const transposedAt = new Array<number>(towers.length).fill(-1);
  const keepStats = (towerIndex: number, statsBase: number) => {
    const { stats } = chunks[towerIndex];
    for (let s = 0; s < stats.length; s++) reals[statsBase + s] += stats[s];
  };
  return {
    towers,
    /** Before an item's blocks. */
    prepare(towerIndex: number, phase: number, minibatchRows: number): void {
      const { address, numRecords, cells } = towers[towerIndex];
      begin(phase);
      if (transposedAt[towerIndex] !== phase) {
        kernels.transposeKernels(address, numRecords, layout.parameters);
        if (cells !== null) ofSequences?.transpose(cells);
        transposedAt[towerIndex] = phase;
      }
      chunks[towerIndex].minibatchRows = minibatchRows;
    },
    /** `start` in the epoch's order; `isFirst`: of its group's slab. Statistics are added to the reals from `statsBase` on. */
    runBlock(
      towerIndex: number,
      group: number,
      start: number,
      numRows: number,
      isFirst: boolean,
      statsBase: number,
    ): void {
      const { cells } = towers[towerIndex];
      if (cells === null || ofSequences === null) {
        runRows(towerIndex, group, start, numRows, isFirst);
        keepStats(towerIndex, statsBase);
        return;
      }
      ofSequences.load(cells, start, numRows);
      ofSequences.forward(cells);
      for (let first = 0; first < numRows; first += BLOCK_ROWS) {
        const count = Math.min(BLOCK_ROWS, numRows - first);
        ofSequences.takeHidden(cells, first, count);
        runRows(towerIndex, group, start + first, count, isFirst && first === 0);
        ofSequences.giveGradient(cells, first, count);
        keepStats(towerIndex, statsBase);
      }
      ofSequences.backward(cells, layout.slabs + group * layout.slabBytes, isFirst);
    },
  };
}

/** At most 64 rows: what the tower reads is gathered, or lies there. */
function createRowRunner(
  { kernels, arena, spec, layout, outputGradient }: ThreadContextOptions,
  towers: readonly TowerProgram[],
  chunks: readonly MutableChunk[],
  gather: (tower: TowerProgram, start: number, numRows: number) => void,
) {
  const { logStd } = policyLayers(spec);
  const slabLogStd = Array.from({ length: layout.maxGroups }, (_, group) => {
    const address = layout.slabs + group * layout.slabBytes + logStd.offset;
    return new Float32Array(arena.buffer, address, logStd.size);
  });
  return (towerIndex: number, group: number, start: number, numRows: number, isFirst: boolean) => {
    const tower = towers[towerIndex];
    const chunk = chunks[towerIndex];
    for (let s = 0; s < chunk.stats.length; s++) chunk.stats[s] = 0;
    gather(tower, start, numRows);
    kernels.forward(tower.address, tower.numRecords, layout.parameters, numRows);
    chunk.numRows = numRows;
    if (tower.hasActor) outputGradient.policy(chunk);
    if (tower.hasCritic) outputGradient.value(chunk);
    const slab = layout.slabs + group * layout.slabBytes;
    kernels.backward(tower.address, tower.numRecords, slab, numRows, isFirst ? 0 : 1);
    if (!tower.hasActor) return;
    const target = slabLogStd[group];
    for (let k = 0; k < target.length; k++)
      target[k] = isFirst ? chunk.gradLogStd[k] : target[k] + chunk.gradLogStd[k];
  };
}
