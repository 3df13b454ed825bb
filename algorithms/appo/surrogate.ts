/** Whose log-probability the surrogate's ratio is taken to. */

/** Bound of mu / pi_target in the ratio: with more of it a step that the target policy hardly makes would count for much. */
const MAX_BEHAVIOUR_RATIO = 2;

/**
 * The surrogate's ratio is
 *
 *     R = min(2, mu / pi_target) * pi / mu
 *
 * which is pi / q for q = max(pi_target, mu / 2). With log q as PPO's old log-probability, PPO's loss is APPO's.
 *
 * @param behaviourLogProbs f32 [N, T]: log mu of the actions taken.
 * @param targetLogProbs f32 [N, T]: log pi_target of them.
 * @param out f32 [N, T]: log q.
 *
 * Source: RLlib's APPO (Luo et al. 2020, arXiv:1912.00167, section 3, where pi_target is the one that V-trace values).
 */
export function surrogateLogProbs(
  behaviourLogProbs: Float32Array,
  targetLogProbs: Float32Array,
  out: Float32Array,
): void {
  const shift = Math.log(MAX_BEHAVIOUR_RATIO);
  for (let i = 0; i < out.length; i++) out[i] = Math.max(targetLogProbs[i], behaviourLogProbs[i] - shift);
}
