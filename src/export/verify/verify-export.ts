/** Runs an export's self-test in the runtime that the export is for. */
import { readFile } from 'node:fs/promises';
import { tensorsToParameters } from '../../algorithm/parameter-content.ts';
import { readPolicyFiles } from '../../algorithm/read-policy.ts';
import { decodeSafetensors } from '../../checkpoint/safetensors.ts';
import { startsOf } from '../../env/discrete-starts.ts';
import type { JsonObject } from '../../json.ts';
import { recurrentStateSize } from '../../policy/networks/recurrent-state.ts';
import { assertPlainSpec, plainParameterLayout } from '../../policy/networks/row-forward.ts';
import type { OutputName } from '../graph.ts';
import { createExpectation, type FoundOutputs, largestDifference, type SelfTest } from '../self-test.ts';
import { runC } from './run-c.ts';
import { runOnnx } from './run-onnx.ts';
import { runTfjs } from './run-tfjs.ts';

export interface Verification {
  /** What ran it, with its version. */
  readonly runtime: string;
  readonly numRows: number;
  /** |a - b| / max(1, |b|) over all outputs. */
  readonly largestDifference: number;
}

/**
 * @param files as they were written, the one that was asked for first.
 * @throws EngineError `ENGINE_EXPORT_RUNTIME` where the runtime is not there, `ENGINE_EXPORT` where it refuses the file.
 */
export async function verifyExport(
  format: 'onnx' | 'tfjs' | 'safetensors' | 'c' | 'js',
  files: readonly string[],
  selfTest: SelfTest,
): Promise<Verification> {
  const { numRows } = selfTest;
  const [file] = files;
  switch (format) {
    case 'onnx': {
      const { runtime, outputs } = await runOnnx(file, selfTest);
      return { runtime, numRows, largestDifference: largestDifference(selfTest.outputs, outputs) };
    }
    case 'tfjs': {
      const { runtime, outputs } = await runTfjs(file, files[1], selfTest);
      return { runtime, numRows, largestDifference: largestDifference(selfTest.outputs, outputs) };
    }
    case 'safetensors': {
      const outputs = await readBack(file, files[1], selfTest);
      const runtime = 'the plain policy, read back';
      return { runtime, numRows, largestDifference: largestDifference(selfTest.outputs, outputs) };
    }
    case 'c':
      return { numRows, ...(await runC(file)) };
    case 'js': {
      // By its text, since it imports nothing: a project of type commonjs would take the file for a script.
      const text = (await readFile(file)).toString('base64');
      const module = (await import(`data:text/javascript;base64,${text}`)) as { verify(): number };
      return { runtime: `Node ${process.versions.node}`, numRows, largestDifference: module.verify() };
    }
  }
}

async function readBack(file: string, weightsFile: string, selfTest: SelfTest): Promise<FoundOutputs> {
  const { spec, observationSpace, actionSpace } = JSON.parse(await readFile(file, 'utf8')) as JsonObject;
  const description: JsonObject = { spec, observationSpace, actionSpace };
  const { tensors } = decodeSafetensors(await readFile(weightsFile), weightsFile);
  const content = {
    description: {},
    json: { 'policies/default/policy.json': description },
    tensors: { 'policies/default/weights.safetensors': tensors },
  };
  const read = readPolicyFiles(content, file);
  assertPlainSpec(read.spec, 'an export');
  const parameters = tensorsToParameters(read.weights, plainParameterLayout(read.spec));
  const source = { ...read, spec: read.spec, parameters, starts: startsOf(read.actionSpace) };
  const expect = createExpectation(source);
  const outputs: { [name in OutputName]?: number[] } = {};
  for (let row = 0; row < selfTest.numRows; row++) {
    const { observationSize, actionMaskSize } = read.spec;
    const observation = selfTest.observations.slice(row * observationSize, (row + 1) * observationSize);
    const mask = selfTest.masks?.slice(row * actionMaskSize, (row + 1) * actionMaskSize);
    const stateSize = recurrentStateSize(read.spec);
    const state = selfTest.states?.slice(row * stateSize, (row + 1) * stateSize) ?? [];
    const found = expect(observation, mask === undefined ? null : Uint8Array.from(mask), state);
    for (const [name, values] of Object.entries(found) as [OutputName, number[]][]) {
      outputs[name] ??= [];
      outputs[name].push(...values);
    }
  }
  return outputs;
}
