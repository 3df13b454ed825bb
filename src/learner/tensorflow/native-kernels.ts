/** Corrections of the native backend's kernels. */
import type { Tensor, TensorFlow } from '../../policy/tensor-types.ts';
import type { NodeBackend } from './native-binding.ts';

/**
 * Replaces the gather kernel, which reads the indices back to check them: that waits for the device at every call, and
 * cannot be recorded into a graph. TensorFlow checks them itself, but on a GPU, where a row outside is 0.
 */
export function correctNativeKernels(tf: TensorFlow): void {
  tf.unregisterKernel('GatherV2', 'tensorflow');
  tf.registerKernel({
    kernelName: 'GatherV2',
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs }) => {
      const backend = tf.backend() as unknown as NodeBackend;
      const { binding } = backend;
      const { axis, batchDims } = attrs as { axis: number; batchDims: number };
      const { x, indices } = inputs as { x: Tensor; indices: Tensor };
      const axisTensor = tf.scalar(axis, 'int32');
      const type = (name: string, value: unknown) => ({ name, type: binding.TF_ATTR_TYPE, value });
      const attributes = [
        { name: 'batch_dims', type: binding.TF_ATTR_INT, value: batchDims },
        type('Tparams', backend.typeAttributeFromTensor(x)),
        type('Tindices', backend.typeAttributeFromTensor(indices)),
        type('Taxis', backend.typeAttributeFromTensor(axisTensor)),
      ];
      const result = backend.executeSingleOutput('GatherV2', attributes, [x, indices, axisTensor]);
      axisTensor.dispose();
      return result;
    },
  });
}
