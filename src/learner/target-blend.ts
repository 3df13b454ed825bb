/** Targets that follow their networks, in plain arrays. */
import type { ModelLayout, ModelSpec } from '../policy/networks/model.ts';

/** Every target: theta' += tau (theta - theta') in float32, in place; 1 copies exactly. @param parameters f32 [layout.size]. */
export function blendTargets(
  { ranges }: ModelLayout,
  { targets }: ModelSpec,
  parameters: Float32Array,
  tau: number,
): void {
  for (const [target, source] of Object.entries(targets)) {
    const to = ranges[target].offset;
    const from = ranges[source].offset;
    const { size } = ranges[target];
    if (tau === 1) parameters.copyWithin(to, from, from + size);
    else
      for (let k = 0; k < size; k++) parameters[to + k] += tau * (parameters[from + k] - parameters[to + k]);
  }
}
