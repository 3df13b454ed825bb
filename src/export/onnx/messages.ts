/**
 * Writes the protocol-buffer messages of an ONNX model. Field numbers are those of onnx/onnx.proto3 (IR version 8).
 */
import {
  bytesField,
  concat,
  floatField,
  integerField,
  type Message,
  stringField,
} from '../../learner/tensorflow/capture/protobuf.ts';

/** TensorProto.DataType. */
export const ONNX_TYPES = { float32: 1, uint8: 2, int64: 7, bool: 9 } as const;
export type OnnxDtype = keyof typeof ONNX_TYPES;

const ATTRIBUTE_TYPES = { float: 1, int: 2, ints: 7 } as const;
const IR_VERSION = 8;

/** A whole number, a list of them, or `{ float }`: 1 is not 1.0 here. */
export type Attribute = number | readonly number[] | { readonly float: number };

export interface OnnxInputOutput {
  readonly name: string;
  readonly dtype: OnnxDtype;
  /** Behind the batch. */
  readonly size: number;
}

/** TensorProto with raw little-endian data. */
export function tensorMessage(
  name: string,
  data: Float32Array | BigInt64Array,
  shape: readonly number[],
): Message {
  const dtype = data instanceof Float32Array ? ONNX_TYPES.float32 : ONNX_TYPES.int64;
  return concat([
    ...shape.map((side) => integerField(1, side)),
    integerField(2, dtype),
    stringField(8, name),
    bytesField(9, new Uint8Array(data.slice().buffer)),
  ]);
}

/** NodeProto. */
export function onnxNode(
  operation: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, Attribute>> = {},
): Message {
  return concat([
    ...inputs.map((input) => stringField(1, input)),
    stringField(2, output),
    stringField(3, output),
    stringField(4, operation),
    ...Object.entries(attributes).map(([name, value]) => bytesField(5, attributeMessage(name, value))),
  ]);
}

function attributeMessage(name: string, value: Attribute): Message {
  if (typeof value === 'number') {
    return concat([stringField(1, name), integerField(3, value), integerField(20, ATTRIBUTE_TYPES.int)]);
  }
  if ('float' in value) {
    const number = floatField(2, value.float);
    return concat([stringField(1, name), number, integerField(20, ATTRIBUTE_TYPES.float)]);
  }
  const items = value.map((item) => integerField(8, item));
  return concat([stringField(1, name), ...items, integerField(20, ATTRIBUTE_TYPES.ints)]);
}

/** ValueInfoProto: [batch, size] with a batch of any size. */
function valueMessage({ name, dtype, size }: OnnxInputOutput): Message {
  const batch = bytesField(1, stringField(2, 'batch'));
  const shape = concat([batch, bytesField(1, integerField(1, size))]);
  const tensor = concat([integerField(1, ONNX_TYPES[dtype]), bytesField(2, shape)]);
  return concat([stringField(1, name), bytesField(2, bytesField(1, tensor))]);
}

export interface OnnxModel {
  readonly producerVersion: string;
  readonly opset: number;
  readonly nodes: readonly Message[];
  readonly tensors: readonly Message[];
  readonly inputs: readonly OnnxInputOutput[];
  readonly outputs: readonly OnnxInputOutput[];
  readonly metadata: Readonly<Record<string, string>>;
}

export function modelMessage(model: OnnxModel): Message {
  const graph = concat([
    ...model.nodes.map((node) => bytesField(1, node)),
    stringField(2, 'policy'),
    ...model.tensors.map((tensor) => bytesField(5, tensor)),
    ...model.inputs.map((value) => bytesField(11, valueMessage(value))),
    ...model.outputs.map((value) => bytesField(12, valueMessage(value))),
  ]);
  const properties = Object.entries(model.metadata).map(([key, value]) =>
    bytesField(14, concat([stringField(1, key), stringField(2, value)])),
  );
  return concat([
    integerField(1, IR_VERSION),
    stringField(2, 'operant'),
    stringField(3, model.producerVersion),
    bytesField(7, graph),
    bytesField(8, integerField(2, model.opset)),
    ...properties,
  ]);
}
