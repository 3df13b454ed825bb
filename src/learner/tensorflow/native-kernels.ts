/** Corrections of the native backend's kernels and of tfjs' gradients on it. */
import type { Tensor, TensorFlow } from '../../policy/tensor-types.ts';
import type { NodeBackend, OpAttribute } from './native-binding.ts';

/**
 * Replaces what cannot be recorded into a graph, and what TensorFlow has one operation for where tfjs makes several.
 *
 * - `gather` reads the indices back to check them, which waits for the device at every call. TensorFlow checks them itself,
 *   but on a GPU, where a row outside is 0.
 * - A product of two matrices is MatMul instead of BatchMatMulV2: TensorFlow joins it with the bias and the activation
 *   that follow.
 * - The gradients of tanh, sigmoid and relu are one operation instead of three to seven. They are exact: the same
 *   formulas. Inside another gradient, and on other backends, which share the registry, tfjs' own are used.
 */
export function correctNativeKernels(tf: TensorFlow): void {
  replaceGather(tf);
  replaceMatMul(tf);
  replaceGradient(tf, 'Tanh', 'TanhGrad', ({ y, dy }) => [y, dy]);
  replaceGradient(tf, 'Sigmoid', 'SigmoidGrad', ({ y, dy }) => [y, dy]);
  replaceGradient(tf, 'Relu', 'ReluGrad', ({ y, dy }) => [dy, y]); // y > 0 where x > 0
}

const backendOf = (tf: TensorFlow) => tf.backend() as unknown as NodeBackend;

function typeAttribute({ binding }: NodeBackend, name: string, value: number): OpAttribute {
  return { name, type: binding.TF_ATTR_TYPE, value };
}

function replaceGather(tf: TensorFlow): void {
  tf.unregisterKernel('GatherV2', 'tensorflow');
  tf.registerKernel({
    kernelName: 'GatherV2',
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs }) => {
      const backend = backendOf(tf);
      const { axis, batchDims } = attrs as { axis: number; batchDims: number };
      const { x, indices } = inputs as { x: Tensor; indices: Tensor };
      const axisTensor = tf.scalar(axis, 'int32');
      const attributes = [
        { name: 'batch_dims', type: backend.binding.TF_ATTR_INT, value: batchDims },
        typeAttribute(backend, 'Tparams', backend.typeAttributeFromTensor(x)),
        typeAttribute(backend, 'Tindices', backend.typeAttributeFromTensor(indices)),
        typeAttribute(backend, 'Taxis', backend.typeAttributeFromTensor(axisTensor)),
      ];
      const result = backend.executeSingleOutput('GatherV2', attributes, [x, indices, axisTensor]);
      axisTensor.dispose();
      return result;
    },
  });
}

function replaceMatMul(tf: TensorFlow): void {
  const stock = tf.getKernel('BatchMatMul', 'tensorflow');
  tf.unregisterKernel('BatchMatMul', 'tensorflow');
  tf.registerKernel({
    ...stock,
    kernelFunc: (call) => {
      const { a, b } = call.inputs as { a: Tensor; b: Tensor };
      if (a.rank !== 2 || b.rank !== 2) return stock.kernelFunc(call);
      const backend = backendOf(tf);
      const { transposeA, transposeB } = call.attrs as { transposeA?: boolean; transposeB?: boolean };
      const flag = (name: string, value: boolean | undefined) => ({
        name,
        type: backend.binding.TF_ATTR_BOOL,
        value: value === true,
      });
      const attributes = [
        typeAttribute(backend, 'T', backend.typeAttributeFromTensor(a)),
        flag('transpose_a', transposeA),
        flag('transpose_b', transposeB),
      ];
      return backend.executeSingleOutput('MatMul', attributes, [a, b]);
    },
  });
}

/** @param operands of the operation, from the activation's output y and the gradient dy. */
function replaceGradient(
  tf: TensorFlow,
  kernelName: string,
  op: string,
  operands: (saved: { y: Tensor; dy: Tensor }) => Tensor[],
): void {
  const { inputsToSave = [], gradFunc } = tf.getGradient(kernelName);
  tf.unregisterGradient(kernelName);
  tf.registerGradient({
    kernelName,
    inputsToSave,
    outputsToSave: [true],
    gradFunc: (dy, saved, attributes) => {
      const nested = tf.engine().state.gradientDepth > 0;
      if (nested || tf.getBackend() !== 'tensorflow') return gradFunc(dy, saved, attributes);
      const y = saved[saved.length - 1];
      const backend = backendOf(tf);
      const type = typeAttribute(backend, 'T', backend.typeAttributeFromTensor(y));
      return { x: () => backend.executeSingleOutput(op, [type], operands({ y, dy: dy as Tensor })) };
    },
  });
}
