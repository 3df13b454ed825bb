/**
 * The part of the public interface that speaks TensorFlow.js, as `operant/tensorflow`: networks of one's own, graph capture.
 *
 * Its types are those of `@tensorflow/tfjs`, an optional peer: `npm install @tensorflow/tfjs @tensorflow/tfjs-backend-wasm`. Importing it
 * loads nothing of TensorFlow.
 */
export {
  type CapturableFunction,
  type CapturedFunctions,
  captureGraph,
} from '../learner/tensorflow/capture/capture-graph.ts';
export type {
  CreateCustomNetwork,
  CustomNetwork,
  CustomNetworkContext,
  CustomParameter,
} from '../policy/custom-network.ts';
export type { Tensor, TensorFlow } from '../policy/tensor-types.ts';
