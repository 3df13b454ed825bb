/** Values that a study of an algorithm's own space would try, by every searcher and by pbt. */
import { registerShippedEnvs } from '../../envs/index.ts';
import type { ConfigLayer } from '../../src/config/resolve.ts';
import type { Space, TrialValues } from '../../src/config/search-space.ts';
import type { AlgorithmDefinition } from '../../src/define/define-algorithm.ts';
import { builtInSpace } from '../../src/tune/built-in-space.ts';
import { createPbt } from '../../src/tune/schedulers/pbt.ts';
import type { ScheduledTrial } from '../../src/tune/schedulers/scheduler.ts';
import type { Accepts, PastTrial, Searcher } from '../../src/tune/searchers/searcher.ts';
import { acceptanceOf, completeSettings, trialConfig, trialLayers } from '../../src/tune/settings.ts';

export interface OwnSpace {
  readonly space: Space;
  readonly accepts: Accepts;
  /** @throws ConfigError as a trial would that got these. */
  readonly check: (values: TrialValues) => void;
}

/** @param config what the user sets, by section. @param own what of the space is kept. */
export function ownSpace(
  definition: AlgorithmDefinition,
  config: object,
  isTuned: boolean,
  own: readonly string[] | null = null,
): OwnSpace {
  registerShippedEnvs();
  const given: ConfigLayer[] = [{ values: config, source: 'a test' }];
  const layers = trialLayers(definition, given, isTuned);
  const whole = builtInSpace(definition, layers, { given, isChangedLater: false });
  const kept = Object.entries(whole).filter(([name]) => own === null || own.includes(name));
  const space = Object.fromEntries(kept);
  const partial = { algorithm: definition.name, layers, space, trialSteps: 2 ** 40 };
  const settings = completeSettings(partial, definition);
  const check = (values: TrialValues) => void trialConfig(settings, definition, values);
  return { space, accepts: acceptanceOf(settings, definition), check };
}

/** One after the other, each beside at most `numPast` before it, whose scores prefer some of them. */
export function draws(
  searcher: Searcher,
  { space, accepts }: OwnSpace,
  { count, numPast }: { readonly count: number; readonly numPast: number },
): TrialValues[] {
  const past: PastTrial[] = [];
  for (let number = 0; number < count; number++) {
    const values = searcher({ space, accepts, seed: 3, number, past: past.slice(0, numPast) });
    if (values === null) break;
    past.push({ values, state: 'complete', score: Number(values.minibatchSize ?? number), numSteps: 1 });
  }
  return past.map(({ values }) => values);
}

/** What a member of a population of two goes on with that takes over from one with `values`, `count` times. */
export function clones({ space, accepts }: OwnSpace, values: TrialValues, count: number): TrialValues[] {
  const rules = {
    numSteps: 2,
    perturbationInterval: 1,
    numTrials: 2,
    quantile: 0.5,
    resampleProbability: 0.25,
  };
  const winner: ScheduledTrial = { number: 0, state: 'running', scores: [1], values };
  const loser: ScheduledTrial = { number: 1, state: 'waiting', scores: [0], values };
  return Array.from({ length: count }, (_, seed) => {
    const decision = createPbt({ ...rules, space, accepts, seed }).decide({
      trials: [winner, loser],
      isFull: true,
    });
    if (decision?.action !== 'clone') throw new Error(`Expected a clone, got ${JSON.stringify(decision)}`);
    return decision.values;
  });
}
