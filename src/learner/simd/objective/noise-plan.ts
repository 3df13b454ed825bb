/** Which parameters a pass runs on, and which passes have the gradient of a noisy network. */
import type { ModelLayout } from '../../../policy/networks/model.ts';
import type { ObjectiveSpec, PassOptions } from '../../objective.ts';
import type { ObjectiveLayout } from './regions.ts';

export interface NoisePlan {
  /** Where the model's vector would begin, so that the network's parameters are those that the pass runs on. */
  parametersOf(options: PassOptions): number;
  /** Of a pass with a gradient. @throws TypeError where a noisy network has another one. */
  noteGradient(options: PassOptions): void;
  /** Noises of the passes noted so far that have a gradient of their parameters. */
  readonly noisyGradients: readonly string[];
}

/** One a thread. @param layout null = nothing runs, sizes are measured. */
export function createNoisePlan(
  { noises = [] }: ObjectiveSpec,
  { ranges }: ModelLayout,
  layout: ObjectiveLayout | null,
): NoisePlan {
  const noisyGradients: string[] = [];
  const noiseOf = new Map<string, string | undefined>();
  return {
    noisyGradients,
    parametersOf({ network, noise }) {
      if (noise === undefined) return layout?.parameters ?? 0;
      const k = noises.findIndex((draw) => draw.name === noise && draw.network === network);
      if (k < 0) throw new TypeError(`Expected a noise of ${network} among the objective's, got ${noise}.`);
      return layout === null ? 0 : layout.noises[k].perturbed - 4 * ranges[network].offset;
    },
    // passes of a network share its transposed kernels and its place in a slab, whose deviations get theirs by one draw
    noteGradient({ network, noise, gradient }) {
      if (noiseOf.has(network) && (noiseOf.get(network) ?? noise) !== undefined)
        throw new TypeError(
          `Expected one pass with a gradient through ${network}, which has noise, got another.`,
        );
      noiseOf.set(network, noise);
      if (noise !== undefined && gradient !== 'inputs') noisyGradients.push(noise);
    },
  };
}
