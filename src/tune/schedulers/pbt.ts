/** Population based training. */
import { activeNames, type Domain, type Space, type TrialValues } from '../../config/search-space.ts';
import { mixBits } from '../../random/mix-bits.ts';
import { openStream, type Stream } from '../../random/streams.ts';
import { drawValue } from '../searchers/random.ts';
import { type Accepts, acceptedDraw } from '../searchers/searcher.ts';
import { hasReached, rankAt, type ScheduledTrial, type Scheduler } from './scheduler.ts';

export interface PbtOptions {
  /** Environment steps of a whole trial. */
  readonly numSteps: number;
  /** Steps between two generations. */
  readonly perturbationInterval: number;
  /** The population. */
  readonly numTrials: number;
  /** The share that is replaced, and the share that it is replaced by; in (0, 0.5]. */
  readonly quantile: number;
  /** How often a value is drawn anew instead of moved; in [0, 1]. */
  readonly resampleProbability: number;
  readonly space: Space;
  /** Values that it refuses are explored anew. @defaultValue all go together */
  readonly accepts?: Accepts | undefined;
  /** The study's. */
  readonly seed: number;
}

const FACTORS = [0.8, 1.2];
/** For values near the source's that go together; else a clone keeps those. */
const MAX_DRAWS = 100;

/**
 * At the end of each generation, when every member that has not failed has come there, n = min(floor(N / 2), ceil(N * quantile)) of the N are
 * replaced: each of the worst n takes the checkpoint of one of the best n, drawn at random, and that one's values, explored. A member whose
 * score is no worse than the drawn one's keeps its own.
 *
 * Jaderberg et al. (2017), "Population Based Training of Neural Networks", with truncation selection. Departure: generations close together,
 * so a study can be repeated; a failed member is not waited for.
 */
export function createPbt(options: PbtOptions): Scheduler {
  const { numSteps, perturbationInterval, numTrials, quantile } = options;
  const milestones: number[] = [];
  for (let steps = perturbationInterval; steps < numSteps; steps += perturbationInterval)
    milestones.push(steps);
  return {
    milestonesOf: () => milestones,
    decide({ trials, isFull }) {
      const trial = trials.find(({ state }) => state === 'waiting');
      if (trial === undefined || (trials.length < numTrials && !isFull)) return null;
      const k = Math.min(...trials.filter(({ state }) => state === 'waiting').map(generationOf));
      const isOpen = (member: ScheduledTrial) => member.state === 'running' && !hasReached(member, k);
      if (trials.some(isOpen)) return null;
      const next = trials.find((member) => member.state === 'waiting' && generationOf(member) === k);
      return next === undefined ? null : decideAt(next, rankAt(trials, k), k, options, quantile);
    },
  };
}

const generationOf = ({ scores }: ScheduledTrial) => scores.length - 1;

function decideAt(
  { number, scores }: ScheduledTrial,
  ranked: readonly ScheduledTrial[],
  k: number,
  { space, seed, resampleProbability, accepts }: PbtOptions,
  quantile: number,
) {
  const numReplaced = Math.min(Math.floor(ranked.length / 2), Math.ceil(ranked.length * quantile));
  const position = ranked.findIndex((member) => member.number === number);
  const go = { action: 'go', number } as const;
  if (position < ranked.length - numReplaced) return go;
  const hash = mixBits(mixBits(mixBits(seed | 0) + number) + k) >>> 0;
  const stream = openStream(hash, 'pbt');
  const source = ranked[stream.integer(numReplaced)];
  if (source.scores[k] <= scores[k]) return go;
  const near = () => explore(source.values, space, resampleProbability, stream);
  const values = acceptedDraw(near, accepts, MAX_DRAWS) ?? source.values;
  return { action: 'clone', number, source: source.number, values } as const;
}

/**
 * Other values near these. Each is drawn anew with the given probability; else a number is multiplied by 0.8 or 1.2, clipped to its ends and,
 * where it is an integer, moved by one at least; a choice among numbers moves one place in their order of size, within the ends; any other choice stays. A condition that
 * no longer holds takes its option away, one that now holds draws it.
 */
export function explore(
  values: TrialValues,
  space: Space,
  resampleProbability: number,
  stream: Stream,
): TrialValues {
  const explored: Record<string, TrialValues[string]> = {};
  for (const name of activeNames(space, explored)) {
    const domain = space[name];
    const isDrawn = stream.uniform() < resampleProbability || !Object.hasOwn(values, name);
    explored[name] = isDrawn ? drawValue(domain, stream) : moved(values[name], domain, stream);
  }
  return explored;
}

function moved(value: TrialValues[string], domain: Domain, stream: Stream): TrialValues[string] {
  const isUp = stream.integer(2) === 1;
  if (domain.kind === 'choice') {
    const { choices } = domain;
    if (!choices.every((choice) => typeof choice === 'number')) return value;
    const sorted = choices.toSorted((a, b) => a - b);
    const index = sorted.indexOf(value as number) + (isUp ? 1 : -1);
    return sorted[Math.min(sorted.length - 1, Math.max(0, index))];
  }
  const { low, high, isInteger } = domain;
  const scaled = (value as number) * FACTORS[isUp ? 1 : 0];
  const clip = (number: number) => Math.min(high, Math.max(low, number));
  if (!isInteger) return clip(scaled);
  const rounded = Math.round(scaled);
  return clip(rounded === value ? rounded + (isUp ? 1 : -1) : rounded);
}
