/**
 * Writes the few protocol-buffer messages of a TensorFlow SavedModel.
 *
 * Field numbers are those of tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape}.proto and
 * tensorflow/core/protobuf/{saved_model,meta_graph}.proto.
 */

export type Message = Uint8Array;

/** TensorFlow's DataType numbers. */
export const DATA_TYPES = { float32: 1, int32: 3, uint8: 4, int64: 9, bool: 10 } as const;
export type GraphDtype = keyof typeof DATA_TYPES;

/** Oldest producer version whose graphs need no upgrade on loading; any later TensorFlow reads it. */
const GRAPH_PRODUCER = 2000;

const encoder = new TextEncoder();

function varint(value: number | bigint): Message {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

export function concat(parts: readonly Message[]): Message {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

export const integerField = (field: number, value: number): Message =>
  concat([varint(field << 3), varint(Math.trunc(value))]);

export const bytesField = (field: number, content: Message): Message =>
  concat([varint((field << 3) | 2), varint(content.length), content]);

export const stringField = (field: number, text: string): Message => bytesField(field, encoder.encode(text));

export function floatField(field: number, value: number): Message {
  return concat([varint((field << 3) | 5), new Uint8Array(Float32Array.of(value).buffer)]);
}

/** TensorShapeProto; null = unknown rank. */
function shapeMessage(shape: readonly number[] | null): Message {
  if (shape === null) return integerField(3, 1);
  return concat(shape.map((dimension) => bytesField(2, integerField(1, dimension))));
}

/** AttrValue of a tensor; `content` is the raw little-endian data. */
export function tensorAttribute(dtype: number, shape: readonly number[], content: Uint8Array): Message {
  return bytesField(
    8,
    concat([integerField(1, dtype), bytesField(2, shapeMessage(shape)), bytesField(4, content)]),
  );
}

export const typeAttribute = (dtype: number): Message => integerField(6, dtype);
export const shapeAttribute = (shape: readonly number[] | null): Message =>
  bytesField(7, shapeMessage(shape));
export const stringAttribute = (text: string): Message => stringField(2, text);
export const boolAttribute = (value: boolean): Message => integerField(5, value ? 1 : 0);
export const integerAttribute = (value: number): Message => integerField(3, value);
export const floatAttribute = (value: number): Message => floatField(4, value);
export const listAttribute = (items: readonly Message[]): Message => bytesField(1, concat(items));

/** NodeDef. Inputs are `node`, `node:output` or, for a control input, `^node`. */
export function nodeMessage(
  name: string,
  op: string,
  inputs: readonly string[],
  attributes: Readonly<Record<string, Message>>,
): Message {
  const attributeFields = Object.entries(attributes).map(([key, value]) =>
    bytesField(5, concat([stringField(1, key), bytesField(2, value)])),
  );
  return concat([
    stringField(1, name),
    stringField(2, op),
    ...inputs.map((input) => stringField(3, input)),
    ...attributeFields,
  ]);
}

/** A SavedModel with one graph under `tag`, no signatures and no variable files. */
export function savedModelMessage(nodes: readonly Message[], tag: string): Message {
  const versions = bytesField(4, integerField(1, GRAPH_PRODUCER));
  const graph = concat([...nodes.map((node) => bytesField(1, node)), versions]);
  const metaInfo = stringField(4, tag);
  const metaGraph = concat([bytesField(1, metaInfo), bytesField(2, graph)]);
  return concat([integerField(1, 1), bytesField(2, metaGraph)]);
}
