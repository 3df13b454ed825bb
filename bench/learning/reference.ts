/** What a result may be set beside, and what of it a run is held against. The table of them is `references.ts`. */
import type { JsonObject } from '../../src/json.ts';

export interface Published {
  readonly mean: number;
  readonly std: number;
  readonly steps: number;
}

export interface Bar {
  readonly mean: number;
  readonly what: string;
}

export interface Reference {
  readonly zoo?: Published;
  readonly cleanrl?: Published;
  /** What the lower end is held against where no published mean is; else that is. */
  readonly bar?: () => Bar;
  /** In units of return. */
  readonly margin: number;
  readonly why: string;
  /** The first of the seeds that are reported, where lower ones had a part in the choice of settings. @defaultValue 0 */
  readonly firstSeed?: number;
  /** Of an evaluation. @defaultValue 100 */
  readonly numEpisodes?: number;
  /** Of a point of the curve, where episodes are long. @defaultValue `numEpisodes` */
  readonly numCurveEpisodes?: number;
  /** Options of the environment: in training, and of the final evaluation where they differ. */
  readonly envOptions?: JsonObject;
  readonly finalEnvOptions?: JsonObject;
  /** What a final episode counts, by its return. @defaultValue the return */
  readonly score?: { readonly name: string; readonly of: (episodeReturn: number) => number };
}

export const optimum = (mean: number): Bar => ({ mean, what: 'best possible' });

/** An algorithm as tables name it: `SAC-discrete`. */
export const titleOf = (algorithm: string): string =>
  algorithm.replace(/^[^-]+/, (letters) => letters.toUpperCase());

/** What a reference holds us against. */
export function barOf({ zoo, cleanrl, bar }: Reference): Bar {
  if (zoo) return { mean: zoo.mean, what: 'rl-baselines3-zoo' };
  if (cleanrl) return { mean: cleanrl.mean, what: 'CleanRL' };
  return bar?.() ?? optimum(Infinity);
}
