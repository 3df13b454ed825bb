/** What learns, and where. */
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';

/** Marks options whose value cannot change the parameters of a run. */
const NEUTRAL = { affectsLearning: false } as const;

export const learnersOptions = {
  engine: option(kind.choice(['auto', 'simd', 'tensorflow']), {
    default: 'auto',
    doc: 'What learns: WebAssembly SIMD kernels or TensorFlow. `operant doctor` tells what auto picks and why.',
    alsoCalled: ['framework', 'device'],
  }),
  backend: option(kind.choice(['auto', 'node-gpu', 'webgpu', 'wasm', 'cpu']), {
    default: 'auto',
    doc: 'Backend of the TensorFlow engine; setting it chooses that engine.',
    needs: { option: 'engine', values: ['auto', 'tensorflow'] },
  }),
  numLearnerThreads: option(kind.orAuto(kind.integer({ min: 1, max: 256 })), {
    default: 'auto',
    unit: 'threads',
    doc: 'Threads of the simd engine: the main one and helpers among the rollout workers; never changes results.',
    needs: { option: 'engine', values: ['auto', 'simd'] },
    ...NEUTRAL,
  }),
  nativeKernels: option(kind.boolean(), {
    default: true,
    doc: "The simd engine's kernels as machine code for AVX2, AVX-512 or NEON where that was built: the same bits, sooner.",
    needs: { option: 'engine', values: ['auto', 'simd'] },
    ...NEUTRAL,
  }),
  captureGraph: option(kind.boolean(), {
    default: true,
    doc: 'TensorFlow on node-gpu: run a whole update as one captured graph.',
    needs: { option: 'engine', values: ['auto', 'tensorflow'] },
    alsoCalled: ['torch_compile_learner'],
  }),
};
