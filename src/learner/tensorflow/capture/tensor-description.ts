/** What a native tensor holds. */
import type { NativeBinding, OpAttribute, TensorValues } from '../native-binding.ts';
import { DATA_TYPES } from './protobuf.ts';

export interface TensorDescription {
  readonly shape: readonly number[];
  /** TensorFlow's DataType number. */
  readonly dtype: number;
  readonly values: TensorValues;
}

/** Reads a tensor back, which waits for the device. */
export function describeTensor(binding: NativeBinding, id: number): TensorDescription {
  const values = binding.tensorDataSync(id);
  const dtype = dtypeOf(values);
  const attributes: OpAttribute[] = [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: dtype },
    { name: 'out_type', type: binding.TF_ATTR_TYPE, value: DATA_TYPES.int32 },
  ];
  const [shape] = binding.executeOp('Shape', attributes, [id], 1);
  const dimensions = [...binding.tensorDataSync(shape.id)];
  binding.deleteTensor(shape.id);
  return { shape: dimensions, dtype, values };
}

function dtypeOf(values: TensorValues): number {
  if (values instanceof Float32Array) return DATA_TYPES.float32;
  return values instanceof Int32Array ? DATA_TYPES.int32 : DATA_TYPES.bool;
}
