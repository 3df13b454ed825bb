/**
 * Named random streams: every random number of a run comes from here.
 *
 * A stream is `seedrandom.alea` seeded with the master seed and a path of names, so streams are independent of
 * each other and of the order in which they are created; an episode's streams are in `episode-stream.ts`. Nothing reads a
 * clock or `Math.random`.
 */
/// <reference path="./seedrandom-alea.d.ts" />
import alea from 'seedrandom/lib/alea.js'; // of its generators the one that is used: a page loads less
import { aleaFrom, type Stream } from './alea.ts';
import { mixBits } from './mix-bits.ts';

export type { Stream, StreamState } from './alea.ts';

/**
 * Opens the stream named by `path` under `seed`.
 *
 * @param seed master seed of the run; any integer.
 * @param path names from general to special, such as `'shuffle'` or `'noise', 3`.
 * Cost: about 6 us; drawing a uniform about 5 ns.
 */
export function openStream(seed: number, ...path: readonly (string | number)[]): Stream {
  const key = `${seed}/${path.join('/')}`;
  return aleaFrom(alea(key, { state: true }).state());
}

/**
 * What an episode is for, with two constants that keep its seeds apart from those of the other purposes, whatever the master seeds are:
 * training's and an evaluation's may be the same number.
 */
const EPISODE_LABELS = {
  training: [0x9e3779b9, 0x165667b1],
  evaluation: [0x3c6ef372, 0x510e527f],
  /** A seed in the place of one with which an environment cannot begin. */
  substitute: [0x1f83d9ab, 0x5be0cd19],
  /** Whom an episode of self-play is played against. */
  match: [0xcbbb9d5d, 0x629a292a],
  /** Whether an episode of self-play is the learner's or an exploiter's. */
  home: [0x9159015a, 0x152fecd8],
} as const;

export type EpisodePurpose = keyof typeof EPISODE_LABELS;

/**
 * The seed of one episode: a hash of its purpose, the master seed, the environment's index in the whole run and the number
 * of the episode in that environment. It seeds both the environment and its action noise, so an episode does not
 * depend on which worker plays it or on what was played before.
 *
 * Three rounds of the 32-bit finaliser of MurmurHash3 (Appleby, public domain), one per input word.
 *
 * @returns an unsigned 32-bit integer.
 */
export function episodeSeed(
  seed: number,
  envIndex: number,
  episodeNumber: number,
  purpose: EpisodePurpose = 'training',
): number {
  const [first, last] = EPISODE_LABELS[purpose];
  let hash = mixBits(Math.trunc(seed / 0x1_0000_0000) ^ first);
  hash = mixBits(hash ^ (seed | 0));
  hash = mixBits((hash + Math.imul(envIndex, 0x85ebca6b) + 0x7f4a7c15) | 0);
  return mixBits((hash + Math.imul(episodeNumber, 0xc2b2ae35) + last) | 0) >>> 0;
}
