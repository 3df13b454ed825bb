/** What suggests the values of a trial. */
import type { Space, TrialValues } from '../../config/search-space.ts';
import { mixBits } from '../../random/mix-bits.ts';
import { openStream, type Stream } from '../../random/streams.ts';

/** A trial as a searcher sees it; in order of numbers. */
export interface PastTrial {
  readonly values: TrialValues;
  /** `running`: nothing is known of it yet. */
  readonly state: 'running' | 'complete' | 'stopped' | 'failed';
  /** Greater is better; null without one. */
  readonly score: number | null;
  /** Environment steps after which `score` was taken. */
  readonly numSteps: number;
}

/** Whether an algorithm takes values together: a trial with others would fail before its first step. */
export type Accepts = (values: TrialValues) => boolean;

export interface SearchContext {
  readonly space: Space;
  /** Values that it refuses are not suggested. @defaultValue all go together */
  readonly accepts?: Accepts | undefined;
  /** The study's. */
  readonly seed: number;
  /** Of the trial that is to be suggested, from 0. */
  readonly number: number;
  /** All trials before it. */
  readonly past: readonly PastTrial[];
}

/**
 * The first draw that is accepted, so that what is drawn keeps its distribution among the values that go together.
 *
 * @returns null where none of `maxDraws` is.
 */
export function acceptedDraw(
  draw: () => TrialValues,
  accepts: Accepts | undefined,
  maxDraws = 1000,
): TrialValues | null {
  for (let n = 0; n < maxDraws; n++) {
    const values = draw();
    if (accepts === undefined || accepts(values)) return values;
  }
  return null;
}

/**
 * A pure function: the same context gives the same values, so a study's journal is all that a searcher needs to go on after a kill.
 *
 * @returns null when there is nothing left to try.
 */
export type Searcher = (context: SearchContext) => TrialValues | null;

/**
 * A stream for one trial. The number goes through a hash first: streams whose names differ in a last digit begin with draws a constant
 * distance apart, and every trial takes only a few.
 */
export function trialStream({ seed, number }: SearchContext, purpose: string): Stream {
  return openStream(mixBits(mixBits(seed | 0) + number) >>> 0, purpose);
}
