/** Films of evaluations while a run goes on: the policy as it was evaluated, in the episodes that it was evaluated in. */
import { join } from 'node:path';
import { environmentSource, ownEvaluationSource } from '../algorithm/environment-source.ts';
import { openContentPolicy } from '../algorithm/load-policy.ts';
import { makeRenderable, pictureOf, showEpisode } from '../algorithm/show-episode.ts';
import { checkpointName } from '../checkpoint/load-checkpoint.ts';
import type { commonOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';
import type { RgbFrame } from '../env/env.ts';
import { writeFrames } from '../env/render/write-frames.ts';
import { ConfigError } from '../errors.ts';
import { episodeSeed } from '../random/streams.ts';
import type { RunCallbacks } from './run-callbacks.ts';
import type { RunFolder } from './run-folder.ts';

/** A minute at the speed of the film: it is held in memory until it is written. */
const MAX_FILM_STEPS = 1000;
const FRAMES_PER_SECOND = 20;

type FilmConfig = Pick<ResolvedConfig<typeof commonOptions>, 'environment' | 'evaluation'>;

/**
 * The hook that writes `films/<iteration>-<k>.gif` for episode k of an evaluation, from 0 on; null where none is wanted. What cannot be filmed
 * is an error of the hook: a warning, unless callbacks are strict. Cost: the episode, 10 to 30 ms a frame of 600 x 400, and a state of the
 * algorithm.
 */
export function createFilmHook(
  { environment, evaluation }: FilmConfig,
  folder: RunFolder,
): RunCallbacks | null {
  const { evaluationFilms, evaluationEpisodes, evaluationSeed } = evaluation;
  if (evaluationFilms === 0) return null;
  const source = ownEvaluationSource({ environment, evaluation }) ?? environmentSource({ environment });
  return {
    async onEvaluate({ algorithm, iteration }) {
      const content = await algorithm.getState(folder.storedSegments);
      if (content.json['agents.json'] !== undefined) throw severalAgents();
      const policy = await openContentPolicy(content, `iteration ${iteration}`, { trust: true }); // the run's own network
      for (let k = 0; k < Math.min(evaluationFilms, evaluationEpisodes); k++) {
        const env = await makeRenderable(source);
        const frames: RgbFrame[] = [];
        try {
          await showEpisode({
            env,
            actor: policy.actor(),
            seed: episodeSeed(evaluationSeed, k, 0, 'evaluation'),
            deterministic: true,
            maxSteps: MAX_FILM_STEPS,
            onStep: () => void frames.push(pictureOf(env)),
          });
        } finally {
          env.close?.();
        }
        const file = join(folder.path, 'films', `${checkpointName(iteration)}-${k}.gif`);
        await writeFrames(file, frames, FRAMES_PER_SECOND);
      }
    },
  };
}

function severalAgents(): ConfigError {
  return new ConfigError(
    'CONFIG_CONFLICT',
    'evaluationFilms shows one policy, and this run has several agents: leave it out.',
  );
}
