/** The rollout inside a session: uploaded once per update, gathered by index inside the graph. */

import type { RolloutViews } from '../../../experience/layout.ts';
import { recurrentStateSize } from '../../../policy/networks/recurrent-state.ts';
import { actionDtype, actionSize, type PolicySpec } from '../../../policy/policy-spec.ts';
import type { SequenceTensors } from '../../../policy/tensor-recurrent.ts';
import type { Tensor, TensorFlow } from '../../../policy/tensor-types.ts';
import type { MinibatchTensors } from '../gradient-step.ts';
import { continuesAt, hasBurnIn } from '../minibatch.ts';
import type { TensorValues } from '../native-binding.ts';
import type { GraphVariable } from './graph-nodes.ts';
import type { GraphRecorder } from './graph-recorder.ts';
import type { VariableWrite } from './graph-session.ts';
import { DATA_TYPES, type GraphDtype, typeAttribute } from './protobuf.ts';

export interface RolloutVariables {
  /** Copies of all columns, as writes of the session's variables. */
  upload(rollout: RolloutViews): VariableWrite[];
  /** The rows of a minibatch; only inside a function that is being recorded. */
  gather(indices: Tensor): MinibatchTensors;
}

/** One column [N * T, width], or [N * T] where width is null. */
interface RolloutColumn {
  readonly dtype: GraphDtype;
  readonly width: number | null;
  values(rollout: RolloutViews): TensorValues;
}

/**
 * Declares a variable per column. Their length is not fixed, so rollouts of any size fit; their width is, since TensorFlow
 * rewrites only operations whose shapes it knows.
 */
export function createRolloutVariables(
  tf: TensorFlow,
  recorder: GraphRecorder,
  spec: PolicySpec,
  sequenceLength: number | null,
  burnIn: number,
): RolloutVariables {
  const columns = rolloutColumns(spec, burnIn);
  const variables = Object.fromEntries(
    Object.entries(columns).map(([name, { dtype, width }]) => {
      const standIn = tf.tidy(() =>
        tf.variable(
          tf.zeros(width === null ? [1] : [1, width], dtype === 'float32' ? dtype : 'int32'),
          false,
        ),
      );
      return [name, recorder.variable(standIn, { dtype, shape: width === null ? [-1] : [-1, width] })];
    }),
  ) as Record<string, GraphVariable>;

  return {
    upload: (rollout) =>
      Object.entries(columns).map(([name, { width, values }]) => {
        const copied = values(rollout);
        const shape = width === null ? [copied.length] : [copied.length / width, width];
        return { variable: variables[name], values: copied, shape };
      }),
    gather(indices) {
      const { recurrentStates, continues, hasBurnIn, ...ofRows } = variables;
      const gatherRows: GatherRows = (variable, rows) =>
        variable.dtype === 'uint8'
          ? gatherPixels(tf, recorder, variable, rows)
          : tf.gather(variable.standIn, rows as never);
      const rows = Object.entries(ofRows).map(([name, variable]) => [name, gatherRows(variable, indices)]);
      const sequences =
        sequenceLength === null
          ? null
          : gatherSequences(tf, variables, gatherRows, indices, sequenceLength, burnIn);
      return {
        masks: null,
        ...(Object.fromEntries(rows) as Omit<MinibatchTensors, 'masks' | 'sequences'>),
        sequences,
      };
    },
  };
}

/** A minibatch's rows lie step by step: its first ones begin the sequences, each of which has its number by division. */
function gatherSequences(
  tf: TensorFlow,
  { recurrentStates, continues, hasBurnIn, observations }: Record<string, GraphVariable>,
  gatherRows: GatherRows,
  indices: Tensor,
  length: number,
  burnIn: number,
): SequenceTensors {
  const first = tf.slice(indices, [0], [indices.shape[0] / length]);
  const sequences = tf.floorDiv(first, tf.scalar(length, 'int32'));
  const before = Array.from({ length: burnIn }, (_, t) =>
    tf.maximum(tf.sub(first, tf.scalar(burnIn - t, 'int32')), tf.scalar(0, 'int32')),
  );
  return {
    length,
    states: gatherRows(recurrentStates, sequences),
    continues: gatherRows(continues, indices),
    burnIn:
      burnIn === 0
        ? null
        : {
            length: burnIn,
            observations: gatherRows(observations, tf.concat(before)),
            continues: gatherRows(continues, tf.concat(before)),
            continuesInto: gatherRows(continues, first),
            exists: gatherRows(hasBurnIn, sequences),
          },
  };
}

type GatherRows = (variable: GraphVariable, rows: Tensor) => Tensor;

/** Every array is copied out of shared memory, since TensorFlow keeps what it is given. */
function rolloutColumns(spec: PolicySpec, burnIn: number): Record<string, RolloutColumn> {
  const floats = (values: (rollout: RolloutViews) => Float32Array): RolloutColumn => ({
    dtype: 'float32',
    width: null,
    values: (rollout) => values(rollout).slice(),
  });
  const columns: Record<string, RolloutColumn> = {
    observations: {
      dtype: spec.observationDtype,
      width: spec.observationSize,
      values: (rollout) => rollout.observations.slice(),
    },
    actions: {
      dtype: actionDtype(spec.distribution),
      width: actionSize(spec.distribution),
      values: (rollout) => rollout.actions.slice(),
    },
    oldLogProbs: floats((rollout) => rollout.logProbs),
    oldValues: floats((rollout) => rollout.values),
    advantages: floats((rollout) => rollout.advantages),
    returns: floats((rollout) => rollout.returns),
  };
  const stateSize = recurrentStateSize(spec);
  if (stateSize > 0) {
    columns.recurrentStates = {
      dtype: 'float32',
      width: stateSize,
      values: (rollout) => rollout.recurrentStates.slice(),
    };
    columns.continues = floats(({ terminated, truncated }) =>
      Float32Array.from(terminated, (_, i) => continuesAt(terminated, truncated, i)),
    );
  }
  if (burnIn > 0) {
    columns.hasBurnIn = floats(({ rolloutLength, terminated, recurrentStates }) => {
      const length = (terminated.length * stateSize) / recurrentStates.length;
      return Float32Array.from({ length: terminated.length / length }, (_, s) =>
        hasBurnIn(s * length, rolloutLength),
      );
    });
  }
  if (spec.actionMaskSize > 0) {
    columns.masks = {
      dtype: 'float32',
      width: spec.actionMaskSize,
      values: (rollout) => Float32Array.from(rollout.actionMasks),
    };
  }
  return columns;
}

/** Gathers 8-bit rows and makes floats of them: [B, width]. */
function gatherPixels(
  tf: TensorFlow,
  recorder: GraphRecorder,
  variable: GraphVariable,
  indices: Tensor,
): Tensor {
  const shape = [indices.shape[0], variable.standIn.shape[1] as number];
  const uint8 = typeAttribute(DATA_TYPES.uint8);
  const rows = tf.zeros(shape, 'int32');
  recorder.emit({
    op: 'ResourceGather',
    attributes: { dtype: uint8, Tindices: typeAttribute(DATA_TYPES.int32) },
    inputs: [variable, indices],
    outputs: [rows],
  });
  return castPixels(tf, recorder, rows);
}

/** 8-bit integers to floats, 0 to 255; written by hand, since tfjs takes 8-bit tensors for 32-bit ones. */
export function castPixels(tf: TensorFlow, recorder: GraphRecorder, pixels: Tensor): Tensor {
  const floats = tf.zeros(pixels.shape, 'float32');
  recorder.emit({
    op: 'Cast',
    attributes: { SrcT: typeAttribute(DATA_TYPES.uint8), DstT: typeAttribute(DATA_TYPES.float32) },
    inputs: [pixels],
    outputs: [floats],
  });
  return floats;
}
