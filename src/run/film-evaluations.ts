/** Films of evaluations while a run goes on: the policy as it was evaluated, in the episodes that it was evaluated in. */
import { join } from 'node:path';
import type { AgentsConfig } from '../algorithm/agents/agents-policies.ts';
import { type CastOptions, castOptions, openCast } from '../algorithm/agents/open-cast.ts';
import { makeRenderableAgents, showAgentsEpisode } from '../algorithm/agents/show-agents-episode.ts';
import { environmentSource, ownEvaluationSource } from '../algorithm/environment-source.ts';
import { openContentPolicy } from '../algorithm/load-policy.ts';
import { makeRenderable, pictureOf, showEpisode } from '../algorithm/show-episode.ts';
import type { CheckpointContent } from '../checkpoint/content.ts';
import { checkpointName } from '../checkpoint/load-checkpoint.ts';
import type { commonOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';
import type { RgbFrame } from '../env/env.ts';
import type { EnvSource } from '../env/env-source.ts';
import { writeFrames } from '../env/render/write-frames.ts';
import { episodeSeed } from '../random/streams.ts';
import type { RunCallbacks } from './run-callbacks.ts';
import type { RunFolder } from './run-folder.ts';

/** A minute at the speed of the film: it is held in memory until it is written. */
const MAX_FILM_STEPS = 1000;
const FRAMES_PER_SECOND = 20;

type FilmConfig = Pick<ResolvedConfig<typeof commonOptions>, 'environment' | 'evaluation'> &
  Partial<Pick<AgentsConfig, 'multiAgent' | 'selfPlay'>>;

/**
 * The hook that writes `films/<iteration>-<k>.gif` for episode k of an evaluation, from 0 on; null where none is wanted. What cannot be filmed
 * is an error of the hook: a warning, unless callbacks are strict. Cost: the episode, 10 to 30 ms a frame of 600 x 400, and a state of the
 * algorithm.
 */
export function createFilmHook(
  { environment, evaluation, multiAgent, selfPlay }: FilmConfig,
  folder: RunFolder,
): RunCallbacks | null {
  const { evaluationFilms, evaluationEpisodes, evaluationSeed } = evaluation;
  if (evaluationFilms === 0) return null;
  const source = ownEvaluationSource({ environment, evaluation }) ?? environmentSource({ environment });
  return {
    async onEvaluate({ algorithm, iteration }) {
      const content = await algorithm.getState(folder.storedSegments);
      const path = `iteration ${iteration}`;
      const filmEpisode =
        content.json['agents.json'] === undefined
          ? await filmOne(content, path, source)
          : filmSeveral({ content, path, ...castOptions({ multiAgent, selfPlay }) }, source);
      for (let k = 0; k < Math.min(evaluationFilms, evaluationEpisodes); k++) {
        const frames = await filmEpisode(k, episodeSeed(evaluationSeed, k, 0, 'evaluation'));
        const file = join(folder.path, 'films', `${checkpointName(iteration)}-${k}.gif`);
        await writeFrames(file, frames, FRAMES_PER_SECOND);
      }
    },
  };
}

/** Plays episode k of an evaluation. */
type FilmEpisode = (k: number, seed: number) => Promise<RgbFrame[]>;

async function filmOne(content: CheckpointContent, path: string, source: EnvSource): Promise<FilmEpisode> {
  const policy = await openContentPolicy(content, path, { trust: true }); // the run's own network
  return async (_k, seed) => {
    const env = await makeRenderable(source);
    const frames: RgbFrame[] = [];
    try {
      const onStep = () => void frames.push(pictureOf(env));
      const actor = policy.actor();
      await showEpisode({ env, actor, seed, deterministic: true, maxSteps: MAX_FILM_STEPS, onStep });
    } finally {
      env.close?.();
    }
    return frames;
  };
}

function filmSeveral(options: Omit<CastOptions, 'turn'>, source: EnvSource): FilmEpisode {
  return async (k, seed) => {
    const env = await makeRenderableAgents(source);
    const frames: RgbFrame[] = [];
    try {
      const onStep = () => void frames.push(pictureOf(env));
      const cast = await openCast(env, source.id, { ...options, turn: k });
      await showAgentsEpisode({ env, cast, seed, deterministic: true, maxSteps: MAX_FILM_STEPS, onStep });
    } finally {
      env.close?.();
    }
    return frames;
  };
}
