/** Which engine learns, and why. */
import { ConfigError, EngineError } from '../errors.ts';
import type { LoadedTensorFlow } from '../learner/tensorflow/backend.ts';
import { isKernelNetwork, type PolicySpec } from '../policy/policy-spec.ts';

export interface EngineOptions {
  readonly engine: 'auto' | 'simd' | 'tensorflow';
  readonly backend: 'auto' | 'node-gpu' | 'webgpu' | 'wasm' | 'cpu';
  readonly deterministic?: boolean;
}

export type EngineChoice =
  | { readonly engine: 'simd'; readonly reason: string }
  | { readonly engine: 'tensorflow'; readonly reason: string; readonly tensorflow: LoadedTensorFlow };

/**
 * Parameters from which `auto` looks for a GPU. A launch-bound update costs a GPU about a millisecond whatever the
 * network; the kernels need that long for a minibatch of 256 rows at roughly this size.
 */
const GPU_WORTHWHILE_PARAMETERS = 500_000;

/**
 * `auto`: TensorFlow for networks that the kernels do not cover, and for large ones when a GPU is there; else SIMD.
 * TensorFlow is loaded only when it is chosen or a GPU is looked for.
 *
 * @throws {@link ConfigError} `CONFIG_ENGINE` when `simd` is asked for and does not cover the network; EngineError
 * `ENGINE_BACKEND_MISSING` when a backend is asked for that is not there.
 */
export async function chooseEngine(
  spec: Pick<PolicySpec, 'network'>,
  parameterCount: number,
  { engine, backend, deterministic = false }: EngineOptions,
): Promise<EngineChoice> {
  const isCovered = isKernelNetwork(spec.network);
  if (engine === 'simd' && !isCovered) {
    throw new ConfigError(
      'CONFIG_ENGINE',
      `engine: 'simd' covers MLPs, and the network is '${spec.network.kind}'. Use engine: 'auto' or 'tensorflow'.`,
    );
  }
  const load = async (reason: string): Promise<EngineChoice> => {
    const { loadTensorFlow } = await import('../learner/tensorflow/backend.ts');
    const loading = loadTensorFlow({ backend, deterministic });
    const tensorflow = await (spec.network.kind === 'attention' ? loading.catch(nameAttention) : loading);
    return { engine: 'tensorflow', reason, tensorflow };
  };
  if (engine === 'tensorflow') return load('asked for');
  if (backend !== 'auto') return load(`backend ${backend} was asked for`);
  if (!isCovered) return load(`the kernels do not cover a ${spec.network.kind} network`);
  if (engine === 'auto' && parameterCount >= GPU_WORTHWHILE_PARAMETERS) {
    const choice = await load(`${parameterCount} parameters and a GPU`).catch(unlessMissing);
    if (choice?.engine === 'tensorflow' && choice.tensorflow.gpu) return choice;
  }
  return { engine: 'simd', reason: engine === 'simd' ? 'asked for' : 'covers this network' };
}

/** Whoever asked for attention did not ask for an engine, and has a choice without one. */
function nameAttention(error: unknown): never {
  if (!(error instanceof EngineError) || error.code !== 'ENGINE_BACKEND_MISSING') throw error;
  const message = `recurrent: 'attention' learns on the TensorFlow engine. ${error.message} Or set recurrent to 'lstm' or 'gru', which the kernels cover.`;
  throw new EngineError('ENGINE_BACKEND_MISSING', message, { cause: error });
}

/** Without TensorFlow there is no GPU to be found, which is no error. */
function unlessMissing(error: unknown): null {
  if (error instanceof EngineError && error.code === 'ENGINE_BACKEND_MISSING') return null;
  throw error;
}
