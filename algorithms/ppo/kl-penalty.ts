/** The adaptive weight of PPO's KL penalty. */
import * as z from 'zod/mini';
import type { ResolvedPPOConfig } from './config.ts';

export interface KlPenalty {
  /** Weight in the next update; 0 = there is no penalty. */
  readonly coeff: number;
  /** Takes in the mean `approxKl` of the update just made, in nats; NaN (no minibatch was finite) leaves the weight alone. */
  adapt(kl: number): void;
  /** The weight, for a checkpoint; null where there is no penalty. */
  getState(): number | null | undefined;
  /** Takes up a checkpoint's weight. One without, or of a run without a penalty, sets the weight to its beginning. */
  setState(saved: number | null | undefined): void;
  /** What a checkpoint may hold; nothing where it was written before there was a penalty. */
  readonly schema: z.ZodMiniType<number | null | undefined>;
}

/**
 * Schulman et al. 2017, arXiv:1707.06347, section 4: the weight rises where an update moved the policy too far and falls where it
 * hardly moved.
 *
 *     coeff <- 1.5 coeff   where kl > 2 target
 *     coeff <- coeff / 2   where kl < target / 2
 *
 * Factors and bounds are RLlib's, so that its settings carry over; the paper doubles above 1.5 target and halves below
 * target / 1.5. The divergence is the mean over all minibatches of the update, which is below that of the whole update: the
 * first minibatch's is 0.
 */
export function createKlPenalty({
  klPenaltyCoeff,
  klPenaltyTarget,
}: ResolvedPPOConfig['training']): KlPenalty {
  let coeff = klPenaltyCoeff;
  return {
    schema: z.optional(z.nullable(z.number().check(z.gte(0)))),
    get coeff() {
      return coeff;
    },
    adapt(kl) {
      if (klPenaltyTarget === null) return;
      if (kl > 2 * klPenaltyTarget) coeff *= 1.5;
      else if (kl < klPenaltyTarget / 2) coeff /= 2;
    },
    getState: () => (klPenaltyCoeff > 0 ? coeff : null), // halved a thousand times it is 0, and stays
    setState(saved) {
      coeff = typeof saved === 'number' && klPenaltyCoeff > 0 ? saved : klPenaltyCoeff;
    },
  };
}
