/** Nodes and weights of a TensorFlow.js graph model, as they are collected. */

/** AttrValue in its JSON form. */
type Attribute = object;

export interface TfjsNodes {
  /** Gives the node's name. */
  node(
    operation: string,
    inputs: readonly string[],
    name: string,
    attributes?: Readonly<Record<string, Attribute>>,
  ): string;
  placeholder(name: string, dtype: string, size: number): string;
  floats(name: string, data: ArrayLike<number>, shape: readonly number[]): string;
  /** A vector, or one number. */
  integers(name: string, data: readonly number[] | number): string;
  finish(): {
    readonly nodes: readonly object[];
    readonly specs: readonly object[];
    readonly bytes: Uint8Array;
  };
}

/** Their inputs are of another type than T, or T says nothing. */
const WITHOUT_TYPE = new Set(['Cast', 'Placeholder']);

export function openTfjsNodes(): TfjsNodes {
  const nodes: object[] = [];
  const specs: object[] = [];
  const pieces: Uint8Array[] = [];
  const shapeOf = (shape: readonly number[]) => ({ dim: shape.map((side) => ({ size: String(side) })) });
  const constant = (name: string, data: Float32Array | Int32Array, shape: readonly number[]): string => {
    const isFloat = data instanceof Float32Array;
    const type = isFloat ? 'DT_FLOAT' : 'DT_INT32';
    nodes.push({
      name,
      op: 'Const',
      attr: { dtype: { type }, value: { tensor: { dtype: type, tensorShape: shapeOf(shape) } } },
    });
    specs.push({ name, shape, dtype: isFloat ? 'float32' : 'int32' });
    pieces.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return name;
  };
  return {
    node(operation, inputs, name, attributes = {}) {
      const attr = WITHOUT_TYPE.has(operation) ? attributes : { T: { type: 'DT_FLOAT' }, ...attributes };
      nodes.push({ name, op: operation, input: inputs, attr });
      return name;
    },
    placeholder(name, dtype, size) {
      const attr = { dtype: { type: dtype }, shape: { shape: shapeOf([-1, size]) } };
      nodes.push({ name, op: 'Placeholder', attr });
      return name;
    },
    floats: (name, data, shape) => constant(name, Float32Array.from(data), shape),
    integers: (name, data) =>
      typeof data === 'number'
        ? constant(name, Int32Array.of(data), [])
        : constant(name, Int32Array.from(data), [data.length]),
    finish() {
      const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
      let offset = 0;
      for (const piece of pieces) {
        bytes.set(piece, offset);
        offset += piece.length;
      }
      return { nodes, specs, bytes };
    },
  };
}
