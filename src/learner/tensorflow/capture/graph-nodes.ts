/** The nodes of a graph that is being written: names, constants, variables, attributes. */
import { EngineError } from '../../../errors.ts';
import type { Variable } from '../../../policy/tensor-types.ts';
import type { NativeBinding, OpAttribute, TensorValues } from '../native-binding.ts';
import {
  boolAttribute,
  DATA_TYPES,
  floatAttribute,
  type GraphDtype,
  integerAttribute,
  listAttribute,
  type Message,
  nodeMessage,
  shapeAttribute,
  stringAttribute,
  tensorAttribute,
  typeAttribute,
} from './protobuf.ts';

/** A variable that lives in the session. */
export interface GraphVariable {
  readonly index: number;
  readonly dtype: GraphDtype;
  /** -1 = any size of this dimension, fixed by what is written. */
  readonly shape: readonly number[];
  /** Stands for the session's value while functions are recorded. */
  readonly standIn: Variable;
}

/** NodeDefs, in the order in which they were added. */
export interface GraphNodes {
  readonly messages: Message[];
  /** Adds a node and returns its name, which begins with the operation's. */
  add(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Message>>): string;
  /** Small constants of equal contents are shared. */
  addConstant(dtype: number, shape: readonly number[], values: TensorValues): string;
}

const MAX_SHARED_BYTES = 64;

export function createGraphNodes(): GraphNodes {
  const messages: Message[] = [];
  const shared = new Map<string, string>();
  const nodes: GraphNodes = {
    messages,
    add(op, inputs, attributes) {
      const name = `${op}_${messages.length}`;
      messages.push(nodeMessage(name, op, inputs, attributes));
      return name;
    },
    addConstant(dtype, shape, values) {
      const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
      const key = content.length <= MAX_SHARED_BYTES ? `${dtype}/${shape}/${content}` : null;
      const known = key === null ? undefined : shared.get(key);
      if (known !== undefined) return known;
      const value = tensorAttribute(dtype, shape, content);
      const name = nodes.add('Const', [], { dtype: typeAttribute(dtype), value });
      if (key !== null) shared.set(key, name);
      return name;
    },
  };
  return nodes;
}

export const handleName = ({ index }: GraphVariable): string => `variable_${index}`;
/** Name of the node that reads a variable. */
export const readName = ({ index }: GraphVariable): string => `read_${index}`;
/** Names of the placeholder that a write feeds, and of the node that a write fetches. */
export const feedName = ({ index }: GraphVariable): string => `feed_${index}`;
export const writtenName = ({ index }: GraphVariable): string => `written_${index}`;

/**
 * The handle, a read, and a write: placeholder, copy, assignment, and an identity to fetch.
 *
 * Without the copy the variable would keep what was fed, which is the memory of a JavaScript array; TensorFlow would let go
 * of it in a thread of its own, where the binding must not touch JavaScript's references (seen: crashes at random).
 */
export function variableNodes(variable: GraphVariable): Message[] {
  const dtype = typeAttribute(DATA_TYPES[variable.dtype]);
  const shape = shapeAttribute(variable.shape);
  const handle = handleName(variable);
  const copy = `copy_${variable.index}`;
  const assign = `assign_${variable.index}`;
  const done = `done_${variable.index}`;
  const int32 = typeAttribute(DATA_TYPES.int32);
  const zero = tensorAttribute(DATA_TYPES.int32, [], new Uint8Array(4));
  const container = { shared_name: stringAttribute(handle), container: stringAttribute('') };
  return [
    nodeMessage(handle, 'VarHandleOp', [], { dtype, shape, ...container }),
    nodeMessage(readName(variable), 'ReadVariableOp', [handle], { dtype }),
    nodeMessage(feedName(variable), 'Placeholder', [], { dtype, shape }),
    nodeMessage(copy, 'DeepCopy', [feedName(variable)], { T: dtype }),
    nodeMessage(assign, 'AssignVariableOp', [handle, copy], { dtype }),
    nodeMessage(done, 'Const', [], { dtype: int32, value: zero }),
    nodeMessage(writtenName(variable), 'Identity', [done, `^${assign}`], { T: int32 }),
  ];
}

/** Attributes of a native operation as NodeDef has them. */
export function encodeAttributes(
  binding: NativeBinding,
  op: string,
  attributes: readonly OpAttribute[],
): Record<string, Message> {
  const encode = ({ name, type, value }: OpAttribute): Message => {
    const encodeItem = itemEncoder(binding, type);
    if (type === binding.TF_ATTR_SHAPE) return shapeAttribute(value as number[]);
    if (encodeItem === null) {
      const message = `Cannot capture the operation ${op}: its attribute \`${name}\` has the unknown type ${type}.`;
      throw new EngineError('ENGINE_CAPTURE', message);
    }
    return Array.isArray(value)
      ? listAttribute(value.map((item) => encodeItem(item as never)))
      : encodeItem(value as never);
  };
  return Object.fromEntries(attributes.map((attribute) => [attribute.name, encode(attribute)]));
}

function itemEncoder(binding: NativeBinding, type: number): ((value: never) => Message) | null {
  switch (type) {
    case binding.TF_ATTR_TYPE:
      return typeAttribute;
    case binding.TF_ATTR_INT:
      return integerAttribute;
    case binding.TF_ATTR_FLOAT:
      return floatAttribute;
    case binding.TF_ATTR_BOOL:
      return boolAttribute;
    case binding.TF_ATTR_STRING:
      return stringAttribute;
    default:
      return null;
  }
}
