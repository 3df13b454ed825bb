/** Where an objective learner's memory lies: plain data, so that helper threads can be told. */
import type { Region } from '../../../memory/arena.ts';
import type { ParameterRange } from '../../../policy/networks/model.ts';
import type { OptimizerGroup } from '../../objective.ts';

/** A batch column in the arena; byte address, rows dense. */
export interface BatchRegion {
  readonly name: string;
  readonly dtype: 'float32' | 'int32' | 'uint8';
  readonly size: number;
  readonly address: number;
}

/** One draw of parameter noise; byte addresses, in the order of the objective. */
export interface NoiseRegion {
  readonly name: string;
  readonly network: string;
  readonly factors: number; // f32
  /** The network as this update sees it; written by the main thread before the update's first phase. */
  readonly perturbed: number; // f32 [network]
}

/** One optimizer group's part of the trained parameters, cut into slices: the unit of reduction and of Adam. */
export interface GroupSlices {
  readonly group: OptimizerGroup;
  /** Of the group; in elements. */
  readonly range: ParameterRange;
  readonly numSlices: number;
  /** A multiple of 64. */
  readonly sliceBytes: number;
  /** Index of its first slice among all groups' slices. */
  readonly firstSlice: number;
}

/** Byte addresses. Owned by the learner; between the phases of an update whoever claimed an item owns what that item writes. */
export interface ObjectiveLayout {
  readonly maxBatchSize: number;
  readonly parameters: number; // f32 [size]
  readonly trainedSize: number;
  readonly m: number; // f32 [trainedSize]
  readonly v: number; // f32 [trainedSize]
  /** One gradient slab per group of blocks, f32 [trainedSize] each. */
  readonly slabs: number;
  readonly slabBytes: number;
  readonly groups: readonly GroupSlices[];
  readonly columns: readonly BatchRegion[];
  /** In the objective's order. */
  readonly noises: readonly NoiseRegion[];
  /** f32 [maxBatchSize] each, in the objective's order. */
  readonly rowOutputs: readonly number[];
  readonly observationMean: number; // f32 [largest input]
  readonly observationInverseStd: number; // f32 [largest input]
  readonly control: Region;
  /** f64, see `reals.ts`. */
  readonly reals: Region;
  readonly threads: readonly Region[];
}
