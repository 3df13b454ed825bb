/** What `checkEnv` tries out beyond single steps: seeds, resets, neighbours, saved states, pictures. */
import { isOperantError } from '../errors.ts';
import { openStream } from '../random/streams.ts';
import { fixFor } from './check-fixes.ts';
import {
  continueTrace,
  messageOf,
  playTrace,
  type Report,
  sampleAction,
  type Trace,
  text,
} from './check-trace.ts';
import type { Env } from './env.ts';
import { checkFrame } from './render/check-frame.ts';
import { copyState } from './saved-state.ts';

/** One run of `checkEnv`. */
export interface Check {
  readonly create: () => Env;
  readonly isFactory: boolean;
  readonly seed: number;
  readonly numSteps: number;
  readonly report: Report;
  readonly traces: Trace[];
}

/** Whether a step after the end is noticed. */
export function checkStepAfterEnd(env: Env, trace: Trace, report: Report): void {
  if (trace.end !== 'terminated') return;
  try {
    const result = env.step(trace.actions[trace.actions.length - 1]);
    if (result?.terminated === false && result.truncated === false) {
      report(
        'warning',
        'ENV_STEP_AFTER_END',
        'A step after the end goes on as if nothing had happened.',
        'Throw an error in step when the episode has ended and reset was not called: it shows bugs in loops that you write yourself.',
      );
    }
  } catch {
    // Throwing is what a careful environment does.
  }
}

/** Whether equal seeds and actions give equal episodes, in a fresh environment and after another episode. */
export function checkReset(env: Env, check: Check): void {
  const { seed, report } = check;
  const length = Math.min(200, check.numSteps);
  const first = playTrace(check.create(), seed, seed, length, report);
  const again = playTrace(check.create(), seed, seed, length, report);
  const difference = firstDifference(first, again);
  if (difference === 0) {
    report(
      'error',
      'ENV_SEED_IGNORED',
      `Two resets with seed ${seed} gave different observations.`,
      'Draw everything that is random from a generator that reset creates from its `seed`.',
    );
    return;
  }
  if (difference > 0) {
    report(
      'error',
      'ENV_NOT_DETERMINISTIC',
      `Two episodes with seed ${seed} and the same actions differ at step ${difference}.`,
      'Let reset put back everything that step changes, and take no randomness and no clock from outside.',
    );
    return;
  }
  playTrace(env, seed + 1, seed + 1, Math.min(7, length), report);
  const afterAnother = firstDifference(first, playTrace(env, seed, seed, length, report));
  if (afterAnother >= 0) {
    report(
      'error',
      'ENV_RESET_INCOMPLETE',
      `After another episode was played, an episode with seed ${seed} differs at step ${afterAnother}.`,
      'Let reset put back everything that step changes (counters, lists, generators).',
    );
  }
}

/** Whether seeds and actions change anything at all. */
export function checkSeeds({ traces, report }: Check): void {
  const full = traces.filter((trace) => trace.end !== 'cut');
  if (full.length < 3) return;
  const alike = new Set(full.map((trace) => trace.steps.join())).size === 1;
  const acted = new Set(full.map((trace) => text(trace.actions))).size > 1;
  if (alike && acted) {
    report(
      'warning',
      'ENV_ALWAYS_THE_SAME',
      'All episodes went alike, whatever the seed and the actions.',
      'Look whether step uses its action and reset its seed.',
    );
  }
}

/** Whether two environments of one factory disturb each other. */
export function checkSharedState(check: Check): void {
  const { seed, report } = check;
  const length = Math.min(100, check.numSteps);
  const alone = playTrace(check.create(), seed, seed, length, report);
  const again = playTrace(check.create(), seed, seed, length, report);
  if (firstDifference(alone, again) >= 0) return;
  const besideAnother = withNeighbour(check.create(), check.create(), seed + 1);
  const t = firstDifference(alone, playTrace(besideAnother, seed, seed, length, report));
  if (t < 0) return;
  report(
    'error',
    'ENV_SHARED',
    `An episode with seed ${seed} differs at step ${t} when a second environment is stepped beside it.`,
    'Keep the state inside the factory (or a class), not in variables of the module: many environments run in one thread.',
  );
}

/** The environment, with another one taking random steps before each of its own. */
function withNeighbour(env: Env, neighbour: Env, seed: number): Env {
  const stream = openStream(seed, 'check', 'neighbour');
  let info = neighbour.reset({ seed }).info ?? {};
  return {
    observationSpace: env.observationSpace,
    actionSpace: env.actionSpace,
    masksActions: env.masksActions ?? false,
    reset: (options) => env.reset(options),
    step(action) {
      const result = neighbour.step(sampleAction(neighbour, info, stream));
      const hasEnded = result.terminated || result.truncated;
      info = (hasEnded ? neighbour.reset({ seed }).info : result.info) ?? {};
      return env.step(action);
    },
  };
}

/** Whether an episode goes on from `getState` through JSON as it would have. */
export function checkSavedState(env: Env, check: Check): void {
  if (!env.getState || !env.setState) return;
  const { seed, report } = check;
  const fix = fixFor('ENV_STATE');
  const start = playTrace(env, seed, seed, 4, report);
  if (start.end !== 'cut') return;
  try {
    const given = env.getState();
    const state = copyState(given);
    const goOn = (one: Env): Trace => {
      const trace = { ...start, steps: [], rewards: [], actions: [] };
      continueTrace(one, trace, openStream(seed, 'check', 'state'), 50, report);
      return trace;
    };
    const original = goOn(env);
    const restored = check.create();
    restored.reset({ seed: seed + 1 });
    const taken = copyState(state);
    restored.setState?.(taken);
    const t = firstDifference(original, goOn(restored));
    if (text(given) !== text(state) || text(taken) !== text(state))
      reportLiveState(text(given) !== text(state), report);
    if (t >= 0) {
      report('error', 'ENV_STATE', `After setState an episode goes on differently from step ${t + 1}.`, fix);
    }
  } catch (error) {
    const isOurs = isOperantError(error);
    report(
      'error',
      'ENV_STATE',
      isOurs ? error.message : `getState and setState threw: ${messageOf(error)}.`,
      fix,
    );
  }
}

/** Training copies states at once; a loop of the user's own may not. */
function reportLiveState(isGiven: boolean, report: Report): void {
  report(
    'warning',
    'ENV_STATE_LIVE',
    isGiven
      ? 'What getState gave changed when the episode went on.'
      : 'What setState was given was changed when the episode went on.',
    isGiven ? 'Return a copy: structuredClone(state).' : 'Copy it in setState: structuredClone(state).',
  );
}

/** Whether `render`, where there is one, gives text or a whole picture. */
export function checkRender(env: Env, report: Report): void {
  if (!env.render) return;
  const fix = 'Return text, or { width, height, pixels } with pixels a Uint8Array of width * height * 3.';
  try {
    env.reset({ seed: 0 });
    checkFrame(env.render());
  } catch (error) {
    const message = isOperantError(error) ? error.message : `render threw: ${messageOf(error)}.`;
    report('error', 'ENV_RENDER', message, fix);
  }
}

/** Index of the first step in which two traces differ; -1 when they are equal. */
function firstDifference(a: Trace, b: Trace): number {
  const length = Math.max(a.steps.length, b.steps.length);
  for (let t = 0; t < length; t++) if (a.steps[t] !== b.steps[t]) return t;
  return -1;
}
