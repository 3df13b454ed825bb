/** Runs a TensorFlow.js export with TensorFlow.js in plain JavaScript. */
import { readFile } from 'node:fs/promises';
import { EngineError } from '../../errors.ts';
import { loadTensorFlow } from '../../learner/tensorflow/backend.ts';
import type { TensorFlow } from '../../policy/tensor-types.ts';
import type { FoundOutputs, SelfTest } from '../self-test.ts';
import { missingRuntime } from './missing-runtime.ts';

export async function runTfjs(
  file: string,
  weightsFile: string,
  { numRows, observations, masks, states }: SelfTest,
): Promise<{ runtime: string; outputs: FoundOutputs }> {
  const { tf, version } = await loadTensorFlow({ backend: 'cpu' }).catch((cause: unknown) => {
    if (!(cause instanceof EngineError)) throw cause;
    throw missingRuntime('TensorFlow.js', 'npm install --save-dev @tensorflow/tfjs@4', cause);
  });
  const model = await loadGraphModel(tf, file, weightsFile);
  const inputs: Record<string, ReturnType<TensorFlow['tensor']>> = {};
  const { observation } = model.modelSignature.inputs;
  const dtype = observation.dtype === 'DT_INT32' ? 'int32' : 'float32';
  inputs.observation = tf.tensor(observations as number[], [numRows, observations.length / numRows], dtype);
  if (masks !== null) inputs.mask = tf.tensor(masks as number[], [numRows, masks.length / numRows], 'bool');
  if (states !== undefined) inputs.state = tf.tensor(states as number[], [numRows, states.length / numRows]);
  const names = Object.keys(model.modelSignature.outputs);
  const found = model.execute(inputs, names);
  const tensors = Array.isArray(found) ? found : [found];
  const outputs: Record<string, ArrayLike<number>> = {};
  for (const [k, name] of names.entries()) outputs[name] = await tensors[k].data();
  for (const tensor of [...tensors, ...Object.values(inputs)]) tensor.dispose();
  model.dispose();
  return { runtime: `TensorFlow.js ${version}`, outputs };
}

interface GraphModel {
  readonly modelSignature: {
    readonly inputs: Readonly<Record<string, { readonly dtype: string }>>;
    readonly outputs: Readonly<Record<string, unknown>>;
  };
  execute(
    inputs: object,
    outputs: readonly string[],
  ): ReturnType<TensorFlow['tensor']> | ReturnType<TensorFlow['tensor']>[];
  dispose(): void;
}

/** From memory: TensorFlow.js reads no files in Node without its native binding. */
async function loadGraphModel(tf: TensorFlow, file: string, weightsFile: string): Promise<GraphModel> {
  const json = JSON.parse(await readFile(file, 'utf8'));
  const { buffer, byteOffset, byteLength } = await readFile(weightsFile);
  const artifacts = {
    ...json,
    weightSpecs: json.weightsManifest[0].weights,
    weightData: buffer.slice(byteOffset, byteOffset + byteLength),
  };
  const { io, loadGraphModel: load } = tf as unknown as {
    io: { fromMemory(artifacts: object): object };
    loadGraphModel(handler: object): Promise<GraphModel>;
  };
  return load(io.fromMemory(artifacts));
}
