/** The searchers that there are. */
import { gridSearcher } from './grid.ts';
import { randomSearcher } from './random.ts';
import type { Searcher } from './searcher.ts';
import { sobolSearcher } from './sobol.ts';
import { tpeSearcher } from './tpe.ts';

export const SEARCHERS: Readonly<Record<string, Searcher>> = {
  tpe: tpeSearcher,
  random: randomSearcher,
  grid: gridSearcher,
  sobol: sobolSearcher,
};
