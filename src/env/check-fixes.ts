/** How to mend what breaks a rule that training and `checkEnv` share; the rules themselves are in `user-results.ts`. */

const FIXES: Readonly<Record<string, string>> = {
  ENV_RESET_RESULT:
    'Return { observation } (and info, where there is some), not the bare observation, and synchronously: load what reset needs at the top of the module.',
  ENV_STEP_RESULT: 'Return { observation, reward, terminated, truncated }, an object, synchronously.',
  ENV_FLAGS:
    'Return both as booleans: `terminated` for an end of the task itself, `truncated` for a limit from outside.',
  ENV_REWARD_NON_FINITE: 'Return a finite number as `reward` on every step (0 when nothing happened).',
  ENV_INFO: 'Leave `info` out, or return an object.',
  ENV_METRIC: 'Put finite numbers only into `info.metrics`; leave a metric out when it is not known.',
  ENV_METRICS: 'Report sums or means under fixed names.',
  ENV_MASK_UNDECLARED: 'Add `masksActions: true`.',
  ENV_MASK_MISSING: 'Give a 0/1 for every action with every reset and step, or remove `masksActions`.',
  ENV_MASK_SIZE:
    'Give a 0/1 for every action with every reset and step: n of Discrete(n), the sum of nvec for MultiDiscrete, component after component.',
  ENV_MASK_VALUE: 'Give a 0/1 for every action; it is no number that is added to logits.',
  ENV_MASK_EMPTY: 'Allow at least one, or end the episode when no move is left.',
  ENV_OBSERVATION_NON_FINITE:
    'Look for a division by zero, a square root or logarithm of a negative number, or an array index out of range.',
  ENV_OBSERVATION_BOUNDS:
    'Widen the bounds of `observationSpace` (Infinity is allowed), or clip the observation.',
  ENV_OBSERVATION_SHAPE:
    'Return what `observationSpace` says, flat and row by row for a Box, or correct the space.',
  ENV_STATE:
    'getState must give everything that step reads (the generator too), as plain JSON, and setState must put all of it back.',
};

export function fixFor(code: string): string {
  return FIXES[code] ?? 'Mend it.';
}
