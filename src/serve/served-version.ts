/** A version of a model, with the requests for it. */
import type { Batcher } from './batcher.ts';
import type { LoadedModel } from './load-model.ts';

export interface ServedVersion {
  readonly model: LoadedModel;
  readonly batcher: Batcher;
}
