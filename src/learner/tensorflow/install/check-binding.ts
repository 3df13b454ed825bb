/** Tries a binding in a process of its own, so that a crash is an answer and not the end of the installer. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { EngineError } from '../../../errors.ts';
import type { NativeCandidate } from '../native-binding.ts';
import { lastErrorLine, runCommand } from './run-command.ts';

export interface BindingCheck {
  readonly tensorflowVersion: string;
  readonly gpu: boolean;
}

/**
 * Loads the binding, multiplies two matrices and differentiates a product.
 *
 * @throws EngineError `ENGINE_INSTALL_CHECK` when it does not load, crashes or computes something else.
 */
export async function checkBinding(candidate: NativeCandidate): Promise<BindingCheck> {
  const { href } = new URL(`../native-binding${import.meta.url.slice(-3)}`, import.meta.url);
  const code = `
    import { loadNativeBinding } from ${JSON.stringify(href)};
    const tf = loadNativeBinding(${JSON.stringify(candidate)});
    const product = [...tf.matMul([[1, 2], [3, 4]], [[5, 6], [7, 8]]).dataSync()];
    const gradient = [...tf.grad((x) => tf.sum(tf.mul(x, tf.square(x))))(tf.tensor1d([1, 2])).dataSync()];
    const { binding, isUsingGpuDevice } = tf.backend();
    const report = { product, gradient, tensorflowVersion: binding.TF_Version, gpu: isUsingGpuDevice };
    process.stdout.write('OPERANT ' + JSON.stringify(report));
  `;
  const loader = href.endsWith('.ts')
    ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
    : [];
  const result = await runCommand(process.execPath, [...loader, '--input-type=module', '-e', code]);
  const text = /OPERANT (.*)/.exec(result.stdout)?.[1];
  if (result.exitCode !== 0 || text === undefined) {
    throw new EngineError(
      'ENGINE_INSTALL_CHECK',
      `The binding was built but does not load: ${lastErrorLine(result)}`,
    );
  }
  const { product, gradient, tensorflowVersion, gpu } = JSON.parse(text) as BindingCheck &
    Record<string, number[]>;
  const expected = { product: [19, 22, 43, 50], gradient: [3, 12] };
  if (String(product) !== String(expected.product) || String(gradient) !== String(expected.gradient)) {
    throw new EngineError(
      'ENGINE_INSTALL_CHECK',
      `The binding computes wrongly: expected a product ${expected.product} and a gradient ${expected.gradient}, got ${product} and ${gradient}.`,
    );
  }
  return { tensorflowVersion, gpu };
}
