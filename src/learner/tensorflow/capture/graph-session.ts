/** Runs recorded functions, each by one session call. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EngineError } from '../../../errors.ts';
import type { Tensor, TensorFlow } from '../../../policy/tensor-types.ts';
import type { NodeBackend, TensorMetadata, TensorValues } from '../native-binding.ts';
import { feedName, type GraphVariable, readName, writtenName } from './graph-nodes.ts';
import type { GraphFunction, GraphRecorder } from './graph-recorder.ts';
import { DATA_TYPES, savedModelMessage } from './protobuf.ts';

/** New contents of a variable; `shape` is needed where the variable's is open. */
export interface VariableWrite {
  readonly variable: GraphVariable;
  /** Handed over without a copy: must not change afterwards, and must not be shared memory. */
  readonly values: TensorValues;
  readonly shape?: readonly number[];
}

export interface GraphSession {
  /** Runs a function on arrays of its inputs' shapes and reads its outputs. */
  run(fn: GraphFunction, inputs: readonly TensorValues[]): TensorValues[];
  /** Runs a function for its effect: nothing is read back. */
  execute(fn: GraphFunction, inputs: readonly TensorValues[]): void;
  /** Runs a function on tensors; the caller disposes of the outputs. */
  runTensors(fn: GraphFunction, inputs: readonly Tensor[]): Tensor[];
  read(variable: GraphVariable): TensorValues;
  /** Several variables in one call. */
  write(writes: readonly VariableWrite[]): void;
  /** Session calls so far. */
  readonly numCalls: number;
  dispose(): void;
}

const TAG = 'serve';

/**
 * Loads everything that a recorder has recorded into a session of its own. Variables have no values yet.
 *
 * The graph goes to TensorFlow as a SavedModel, the one form that the stock binding loads; its folder is gone again when
 * this returns.
 *
 * @throws EngineError `ENGINE_CAPTURE` when TensorFlow does not accept the graph; the message names the node.
 */
export function openGraphSession(tf: TensorFlow, recorder: GraphRecorder): GraphSession {
  const backend = tf.backend() as unknown as NodeBackend;
  const { binding } = backend;
  const model = loadModel(backend, recorder);
  let numCalls = 0;
  let open = true;

  const call = (inputs: readonly number[], inputNames: string, outputNames: string): TensorMetadata[] => {
    if (!open) throw new TypeError('Expected an open session, got one that was disposed of.');
    numCalls += 1;
    return binding.runSavedModel(model, inputs, inputNames, outputNames);
  };

  /** Feeds arrays, frees them, and hands the outputs to `use`, which owns them. */
  const feed = <T>(
    feeds: readonly { dtype: number; shape: readonly number[]; values: TensorValues }[],
    inputNames: string,
    outputNames: string,
    use: (outputs: TensorMetadata[]) => T,
  ): T => {
    const ids = feeds.map(({ dtype, shape, values }) => binding.createTensor(shape, dtype, values));
    try {
      return use(call(ids, inputNames, outputNames));
    } finally {
      for (const id of ids) binding.deleteTensor(id);
    }
  };

  const feedsOf = (fn: GraphFunction, inputs: readonly TensorValues[]) =>
    fn.inputs.map(({ dtype, shape }, k) => ({ dtype: DATA_TYPES[dtype], shape, values: inputs[k] }));

  const free = (outputs: TensorMetadata[]) => {
    for (const { id } of outputs) binding.deleteTensor(id);
  };
  const readAndFree = (outputs: TensorMetadata[]) => {
    const values = outputs.map(({ id }) => binding.tensorDataSync(id));
    free(outputs);
    return values;
  };

  return {
    get numCalls() {
      return numCalls;
    },
    run: (fn, inputs) => feed(feedsOf(fn, inputs), fn.inputNames, fn.outputNames, readAndFree),
    execute: (fn, inputs) => feed(feedsOf(fn, inputs), fn.inputNames, fn.outputNames, free),
    runTensors(fn, inputs) {
      const outputs = call(backend.getInputTensorIds(inputs), fn.inputNames, fn.outputNames);
      return outputs.map((metadata) => backend.createOutputTensor(metadata));
    },
    read: (variable) => readAndFree(call([], '', `${readName(variable)}:0`))[0],
    write(writes) {
      const feeds = writes.map(({ variable, values, shape }) => ({
        dtype: DATA_TYPES[variable.dtype],
        shape: shape ?? variable.shape,
        values,
      }));
      const names = (of: (variable: GraphVariable) => string) =>
        writes.map(({ variable }) => `${of(variable)}:0`).join(',');
      feed(feeds, names(feedName), names(writtenName), free);
    },
    dispose() {
      if (open) binding.deleteSavedModel(model);
      open = false;
    },
  };
}

function loadModel({ binding }: NodeBackend, recorder: GraphRecorder): number {
  const folder = mkdtempSync(path.join(tmpdir(), 'operant-graph-'));
  try {
    writeFileSync(path.join(folder, 'saved_model.pb'), savedModelMessage(recorder.nodes, TAG));
    return binding.loadSavedModel(folder, TAG);
  } catch (error) {
    const names = recorder.functions.map(({ name }) => name).join(', ');
    const reason = String(error instanceof Error ? error.message : error).split('\n')[0];
    throw new EngineError(
      'ENGINE_CAPTURE',
      `TensorFlow did not accept the captured graph (${names}): ${reason}`,
      {
        cause: error,
      },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
