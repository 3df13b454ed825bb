import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import type { WasmInstance, WasmModule } from '../../src/memory/web-assembly.ts';
import {
  BUILD_FOLDER,
  buildKernels,
  checkStateless,
  kernelFile,
  unsharedCopy,
} from '../../src/simd/build.ts';
import { instantiateKernels, loadKernels } from '../../src/simd/loader.ts';

beforeAll(async () => {
  await buildKernels();
  await loadKernels(); // Node 20: puts relaxed SIMD on
}, 120_000);

interface FullWebAssembly {
  Module: { new (bytes: Uint8Array): WasmModule; imports(module: WasmModule): unknown[] };
  Instance: new (module: WasmModule, imports: object) => WasmInstance;
  Memory: new (descriptor: { initial: number; maximum: number }) => object;
  LinkError: new () => Error;
}
const { WebAssembly } = globalThis as unknown as { WebAssembly: FullWebAssembly };

const u8 = (...bytes: number[]) => new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...bytes]);

describe('buildKernels', () => {
  it('does nothing the second time', async () => {
    expect(await buildKernels()).toBe('current');
  });

  it('makes modules without data segment, start function or globals', async () => {
    for (const relaxed of [false, true]) {
      const bytes = await readFile(new URL(kernelFile(relaxed, true), BUILD_FOLDER));
      expect(() => checkStateless(bytes, 'built')).not.toThrow();
      const module = new WebAssembly.Module(bytes);
      expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
    }
  });

  it.each([
    ['a data segment', u8(11, 7, 1, 0, 0x41, 0, 0x0b, 1, 42)],
    ['a start function', u8(8, 1, 0)],
    ['a global', u8(6, 6, 1, 0x7f, 1, 0x41, 0, 0x0b)],
  ])('refuses a module with %s', (what, bytes) => {
    expect(() => checkStateless(bytes, 'bad')).toThrow(what);
  });

  it('turns a shared module into an unshared one', async () => {
    const bytes = await readFile(new URL(kernelFile(false, true), BUILD_FOLDER));
    const unshared = new WebAssembly.Module(unsharedCopy(bytes));
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    expect(() => new WebAssembly.Instance(unshared, { env: { memory } })).not.toThrow();
    const shared = new WebAssembly.Module(bytes);
    expect(() => new WebAssembly.Instance(shared, { env: { memory } })).toThrow(WebAssembly.LinkError);
  });
});

describe('loadKernels', () => {
  it('takes the relaxed build where the engine can run it, the strict one on request', async () => {
    const relaxed = await loadKernels();
    const strict = await loadKernels({ deterministic: true });
    expect(relaxed.build).toBe('relaxed'); // Node 20 and later all have it, behind a flag or not
    expect(strict.build).toBe('strict');
    expect(strict.reason).toContain('deterministic');
  });

  it('gives a module that another thread can instantiate over the same memory', async () => {
    const kernels = await loadKernels();
    const planner = createArenaPlanner();
    const region = planner.reserve(64);
    const arena = createArena(planner);
    const code = `
      const { workerData, parentPort } = require('node:worker_threads');
      const { module, memory, address } = workerData;
      const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports;
      kernels.mathTable(1, address, address, 4);
      parentPort.postMessage('done');`;
    const values = new Float32Array(arena.buffer, region.offset, 4);
    values.set([0, 1, -1, 2]);
    const worker = new Worker(code, {
      eval: true,
      workerData: { module: kernels.module, memory: arena.memory, address: region.offset },
    });
    await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    expect(Array.from(values)).toEqual([1, Math.E, 1 / Math.E, Math.E ** 2].map((x) => expect.closeTo(x, 5)));
    const other = new Float32Array(4);
    instantiateKernels(kernels, arena.memory).mathTable(0, region.offset, region.offset, 4);
    other.set(values);
    expect(other[0]).toBeCloseTo(Math.tanh(1), 6);
  });
});
