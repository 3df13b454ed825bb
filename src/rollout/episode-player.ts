/** Plays evaluation episodes with the kernels, in the thread of a runner. */
import { isDeepStrictEqual } from 'node:util';

import { createKernelActor, type KernelActor } from '../acting/batch-actor.ts';
import type { EnvFaultHandling } from '../env/env-faults.ts';
import { forEvaluation } from '../env/env-faults.ts';
import type { EnvSource } from '../env/env-source.ts';
import { makeVectorEnv } from '../env/load-env.ts';
import type { VectorEnv } from '../env/vector-env.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { KernelModule } from '../simd/kernels.ts';
import { createTurns } from '../threads/next-turn.ts';
import { statisticsOffset, type WeightBuffer, type WeightBufferLayout } from '../weights/weight-buffer.ts';
import { type PlayedEpisodes, type PlayRequest, playEpisodes } from './play-episodes.ts';

export interface EpisodePlayerOptions {
  readonly kernels: KernelModule;
  readonly spec: ActingSpec;
  readonly source: EnvSource;
  readonly handling: EnvFaultHandling;
  readonly buffer: ArrayBufferLike;
  readonly weights: WeightBuffer;
  readonly weightLayout: WeightBufferLayout;
  /** Called after every vector step. */
  readonly onStep?: (() => void) | undefined;
}

/** Environments and memory are made when first needed, kept, and never those of training. */
export interface EpisodePlayer {
  /**
   * Acts with the weights published last.
   *
   * @param isCut asked before every vector step: true ends it, and what it gives is worth nothing.
   * @param isShared whether this thread has other things to do: then its event loop turns every 20 ms.
   */
  play(request: PlayRequest, isCut: () => boolean, isShared: boolean): Promise<PlayedEpisodes>;
  close(): void;
}

export function createEpisodePlayer(options: EpisodePlayerOptions): EpisodePlayer {
  const { kernels, spec, source, buffer, weights, weightLayout } = options;
  let made: { vectorEnv: VectorEnv; actor: KernelActor; source: EnvSource } | undefined;
  const prepare = async (numRows: number, from: EnvSource) => {
    if (made?.vectorEnv.numRows === numRows && isDeepStrictEqual(made.source, from)) return made;
    made?.vectorEnv.close?.();
    made = undefined;
    const vectorEnv = await makeVectorEnv(from, numRows, 'same-step', forEvaluation(options.handling));
    const actor = createKernelActor(kernels, spec, weightLayout.parameterCount, numRows);
    made = { vectorEnv, actor, source: from };
    return made;
  };
  return {
    async play(request, isCut, isShared) {
      const { vectorEnv, actor } = await prepare(
        Math.min(request.numEnvs, request.episodes.length),
        request.source ?? source,
      );
      const slot = weights.slotAddress(weights.version);
      const { mean, inverseStd } = statisticsOffset(weightLayout);
      const statistics = {
        mean: new Float32Array(buffer, slot + mean, spec.observationSize),
        inverseStd: new Float32Array(buffer, slot + inverseStd, spec.observationSize),
      };
      const exploration = { ...weights.explorationOf(weights.version), isRandom: false };
      actor.setWeights(new Float32Array(buffer, slot, weightLayout.parameterCount), statistics, exploration);
      const play = playEpisodes({ vectorEnv, actor, spec, request, onStep: options.onStep, isCut });
      const turns = createTurns();
      for (;;) {
        const turn = play.next();
        if (turn.done) return turn.value;
        if (turn.value !== undefined) {
          await turn.value;
          continue;
        }
        actor.actNow(vectorEnv.numRows, request.deterministic);
        if (isShared && turns.isDue()) await turns.take();
      }
    },
    close: () => made?.vectorEnv.close?.(),
  };
}
