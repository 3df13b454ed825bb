/** A policy on TensorFlow without a learner: for acting with saved weights. */
import { loadCustomNetwork } from '../../policy/custom-network.ts';
import type { ActingSpec } from '../../policy/policy-spec.ts';
import { createTensorNetwork } from '../../policy/tensor-network.ts';
import type { ParameterLayout } from '../../weights/parameter-layout.ts';
import { loadTensorFlow } from './backend.ts';
import { createTensorFlowPolicy, type TensorFlowPolicy } from './central-policy.ts';

/** Publish weights to it before it acts. @throws EngineError `ENGINE_NETWORK` when a custom network's module cannot be used. */
export async function openTensorFlowPolicy(
  spec: ActingSpec,
): Promise<{ policy: TensorFlowPolicy; layout: ParameterLayout }> {
  const tensorflow = await loadTensorFlow({ backend: 'auto' });
  const { tf } = tensorflow;
  const custom = spec.network.kind === 'custom' ? await loadCustomNetwork(tf, spec, spec.network) : null;
  const network = createTensorNetwork(tf, spec, custom);
  const parameters = new Float32Array(network.layout.size);
  const policy = createTensorFlowPolicy({ tensorflow, spec, network, parameters, rowsVary: true });
  return { policy, layout: network.layout };
}
