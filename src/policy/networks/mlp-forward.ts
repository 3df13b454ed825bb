/** One row through an MLP in plain float64: for looking at a policy, and for acting where there are no kernels. */
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import { type ActingSpec, distributionSize, type MlpSpec } from '../policy-spec.ts';
import { openDense, openObservation, openRowOutputs, openTensors, openTower } from './dense-rows.ts';
import { plainMlpLayout } from './mlp-parameters.ts';
import type { RowForward, RowLayer } from './row-outputs.ts';

/**
 * Opens the forward pass of an MLP policy. It agrees with the kernels up to float32 rounding.
 *
 * @returns a function of one raw flat observation [obsSize]; what it gives is valid until its next call. Allocates nothing a row. Cost: some
 * 10 to 20 us for 2 x 64, and as much again when the value is read from a tower of its own. Thread: any, one each.
 */
export function openMlpForward(
  spec: ActingSpec & { readonly network: MlpSpec },
  parameters: Float32Array,
  statistics: ObservationStatistics | null,
): RowForward {
  const { hiddenSizes, activation, shared, layerNorm } = spec.network;
  const layout = plainMlpLayout(spec);
  const tensor = openTensors(layout, parameters);
  const tower = (name: string) =>
    openTower(tensor, { name, numLayers: hiddenSizes.length, activation, layerNorm });
  const observe = openObservation(spec, statistics);
  const trunk = tower(shared ? 'trunk' : 'actor');
  const finish = openRowOutputs(
    {
      actor: openDense(tensor, 'actor/head'),
      critic: spec.actorOnly === true ? null : critic(),
      logStd: layout.entries.some(({ name }) => name === 'logStd') ? tensor('logStd') : null,
    },
    distributionSize(spec.distribution),
  );
  return (observation) => {
    const x = observe(observation);
    const latent = trunk(x);
    return finish(latent, shared ? latent : x);
  };

  function critic(): RowLayer {
    const head = openDense(tensor, 'critic/head');
    if (shared) return head;
    const ownTower = tower('critic');
    return (x) => head(ownTower(x));
  }
}
