/** Whether tests of the WebGPU backend can run here; a software adapter will do. */
import { findWebGpuAdapter } from '../../../src/learner/tensorflow/webgpu-backend.ts';

const adapter = await findWebGpuAdapter();

/** null, or why they cannot. */
export const noWebGpu: string | null = typeof adapter === 'string' ? adapter : null;

if (noWebGpu !== null) console.log(`Skipping tests of WebGPU: ${noWebGpu}.`);
