/** Runs an ONNX export with ONNX Runtime, the native one or the one for the web, whichever is installed. */
import { readFile } from 'node:fs/promises';
import type * as Ort from 'onnxruntime-web';
import type { FoundOutputs, SelfTest } from '../self-test.ts';
import { missingRuntime } from './missing-runtime.ts';

const PACKAGES = ['onnxruntime-node', 'onnxruntime-web'];

async function loadRuntime(): Promise<{ ort: typeof Ort; name: string }> {
  for (const name of PACKAGES) {
    try {
      return { ort: (await import(name)) as typeof Ort, name };
    } catch {
      // the next one
    }
  }
  throw missingRuntime('ONNX Runtime', 'npm install --save-dev onnxruntime-web');
}

export async function runOnnx(
  file: string,
  { numRows, observations, masks, states }: SelfTest,
): Promise<{ runtime: string; outputs: FoundOutputs }> {
  const { ort, name } = await loadRuntime();
  const session = await ort.InferenceSession.create(await readFile(file));
  try {
    const isBytes = session.inputMetadata.some(
      (input) => input.name === 'observation' && input.isTensor && input.type === 'uint8',
    );
    const shape = [numRows, observations.length / numRows];
    const feeds: Record<string, Ort.Tensor> = {
      observation: isBytes
        ? new ort.Tensor('uint8', Uint8Array.from(observations), shape)
        : new ort.Tensor('float32', Float32Array.from(observations), shape),
    };
    if (masks !== null) {
      feeds.mask = new ort.Tensor('bool', Uint8Array.from(masks), [numRows, masks.length / numRows]);
    }
    if (states !== undefined)
      feeds.state = new ort.Tensor('float32', Float32Array.from(states), [numRows, states.length / numRows]);
    const found = await session.run(feeds);
    const outputs = Object.entries(found).map(([output, { data }]) => [
      output,
      Array.from(data as ArrayLike<number | bigint>, Number),
    ]);
    const version = ort.env.versions.web ?? ort.env.versions.node ?? ort.env.versions.common;
    return { runtime: `${name} ${version}`, outputs: Object.fromEntries(outputs) as FoundOutputs };
  } finally {
    await session.release();
  }
}
