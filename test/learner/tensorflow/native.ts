/** Whether tests of the native binding can run here. */
import { findNativeBinding } from '../../../src/learner/tensorflow/native-binding.ts';

const candidate = findNativeBinding();

/** null, or why they cannot; printed once per test file, since a silent skip looks like a pass. */
export const noNativeBinding: string | null = typeof candidate === 'string' ? candidate : null;

if (noNativeBinding !== null && process.env.OPERANT_REQUIRE_NATIVE === '1') {
  throw new Error(`The native binding is required here, and ${noNativeBinding}.`);
}
if (noNativeBinding !== null) {
  console.log(
    `Skipping tests of native TensorFlow: ${noNativeBinding}. Run \`operant install-tensorflow\` to have them run.`,
  );
}
