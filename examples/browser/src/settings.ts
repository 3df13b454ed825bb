/** PPO's own declarations under its settings for CartPole: the page trains with what `train --env CartPole` trains with. */
import { ppoOptions, type ResolvedPPOConfig } from '../../../algorithms/ppo/config.ts';
import { tunedPPO } from '../../../algorithms/ppo/tuned.ts';

type SectionName = keyof ResolvedPPOConfig;

function section<S extends SectionName>(name: S): ResolvedPPOConfig[S] {
  const defaults = Object.entries(ppoOptions[name]).map(([option, declared]) => [option, declared.default]);
  const tuned = tunedPPO['CartPole-v1'][name];
  return { ...Object.fromEntries(defaults), ...(tuned as object) } as ResolvedPPOConfig[S];
}

export const settings = {
  training: section('training'),
  envRunners: section('envRunners'),
  stopping: section('stopping'),
  reporting: section('reporting'),
};

/** CartPole counts as learnt when the mean of the last 20 episodes is above this. */
export const SOLVED_RETURN = 195;
export const SOLVED_WINDOW = 20;
export const MAX_EPISODE_STEPS = 500;
