/** Evaluation episodes dealt out to several runners, and put together again. */
import { type MetricSums, mergeSums } from './metric-sums.ts';
import type { PlayedEpisodes, PlayRequest } from './play-episodes.ts';

/** Runner w of W gets episodes number w, w + W, ...; no more shares than episodes. */
export function splitRequest(request: PlayRequest, numRunners: number): PlayRequest[] {
  const numShares = Math.min(numRunners, request.episodes.length);
  return Array.from({ length: numShares }, (_, w) => ({
    ...request,
    episodes: request.episodes.filter((_episode, k) => k % numShares === w),
    numEnvs: Math.ceil(request.numEnvs / numShares),
  }));
}

/** Shares in the order of {@link splitRequest}. */
export function joinPlayed(request: PlayRequest, shares: readonly PlayedEpisodes[]): PlayedEpisodes {
  const metrics: MetricSums = {};
  for (const share of shares) mergeSums(metrics, share.metrics);
  const dealt = <T>(pick: (share: PlayedEpisodes) => readonly T[]) =>
    request.episodes.map((_, k) => pick(shares[k % shares.length])[Math.floor(k / shares.length)]);
  const numCut = shares.reduce((sum, share) => sum + share.numCut, 0);
  const played = {
    returns: dealt((share) => share.returns),
    lengths: dealt((share) => share.lengths),
    numCut,
    metrics,
  };
  return shares.some(({ seats }) => seats === undefined)
    ? played
    : { ...played, seats: dealt((share) => share.seats ?? []) };
}
