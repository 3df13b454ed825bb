/** What APPO's loss is of PPO's, and what of it may follow a schedule. */

/** What PPO's loss has besides. */
export const PLAIN_LOSS = {
  valueLoss: 'mse',
  valueClipRange: null,
  valueErrorBound: null,
  klPenaltyCoeff: 0,
} as const;

export const SCHEDULES = ['learningRate', 'clipRange', 'entropyCoeff'] as const;
