/** The thread that trains: rollouts, advantages, updates; a report to the page now and then. */
import {
  checkpointOf,
  createEpisodeWindow,
  openPageStore,
  type PageTraining,
} from '../../../browser/index.ts';
import { loadKernels } from './load-kernels.ts';
import type { EpisodeEnd, TrainerReport, TrainerRequest } from './messages.ts';
import {
  type AlgorithmName,
  SOLVED_RETURN,
  SOLVED_WINDOW,
  STOP_RETURN,
  STOP_STEPS,
  STOP_WINDOW,
  STORE,
} from './settings.ts';
import { createTraining } from './training.ts';

const REPORT_MS = 50;
const RATE_MS = 1000;

let stepsPerSecond: number | null = null;
/** Saves what is trained, as soon as it stands still; null = there is nothing yet. */
let save: (() => void) | null = null;

const post = (report: TrainerReport) => self.postMessage(report);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

self.addEventListener('message', ({ data }: MessageEvent<TrainerRequest>) => {
  if (data.kind === 'save') {
    save?.();
    return;
  }
  stepsPerSecond = data.stepsPerSecond;
  if (data.kind === 'start')
    train(data.algorithm, data.seed, data.numThreads).catch((error: unknown) => {
      post({ kind: 'failed', message: messageOf(error) });
    });
});

async function train(algorithm: AlgorithmName, seed: number | null, numThreads: number): Promise<void> {
  const kernels = await loadKernels(numThreads > 1);
  const state = seed === null ? await savedState(algorithm) : null;
  const ownSeed = seed ?? seedOf(state?.options ?? '');
  const training = await createTraining(algorithm, kernels, ownSeed, numThreads);
  if (state !== null) await training.setState(state);
  const { spec, numEnvSteps: firstStep } = training;
  post({ kind: 'ready', spec, numThreads, seed: ownSeed, numEnvSteps: firstStep });
  const progress = createProgress(training, STOP_STEPS[algorithm]);
  const waitForPace = createPace();
  let isAsked = false;
  save = () => {
    isAsked = true;
  };
  for (let isFinished = false; !isFinished; ) {
    const numEnvSteps = training.numEnvSteps;
    for (const { episodeReturn, episodeLength } of (await training.train()).episodes)
      progress.add(episodeReturn, episodeLength);
    isFinished = progress.isFinished();
    progress.report(isFinished);
    await waitForPace(training.numEnvSteps - numEnvSteps);
    if (!isAsked) continue;
    isAsked = false;
    await keep(algorithm, training);
  }
  save = () => void keep(algorithm, training);
}

async function savedState(algorithm: AlgorithmName) {
  const store = await openPageStore(STORE);
  const found = await store.load(algorithm);
  store.close();
  if (!found?.state) throw new Error('No training was saved in this browser.');
  return found.state;
}

/** The options of a training stand in its state. */
const seedOf = (options: string): number =>
  (JSON.parse(options) as { readonly debugging: { readonly seed: number } }).debugging.seed;

async function keep(algorithm: AlgorithmName, training: PageTraining): Promise<void> {
  const { numEnvSteps } = training;
  try {
    const store = await openPageStore(STORE);
    await store.save(algorithm, checkpointOf(training));
    store.close();
    post({ kind: 'saved', numEnvSteps, message: null });
  } catch (error) {
    post({ kind: 'saved', numEnvSteps, message: messageOf(error) });
  }
}

/** Counts, and reports at most every 50 ms. */
function createProgress(training: PageTraining, stopSteps: number) {
  const recent = createEpisodeWindow(SOLVED_WINDOW);
  const all = createEpisodeWindow(STOP_WINDOW);
  const startedAt = performance.now();
  const firstStep = training.numEnvSteps;
  const rate = createRate(startedAt, firstStep);
  let reportedAt = 0;
  let numEpisodes = 0;
  let solvedSeconds: number | null = null;
  let ends: EpisodeEnd[] = [];
  return {
    add(episodeReturn: number, episodeLength: number) {
      numEpisodes += 1;
      recent.add(episodeReturn, episodeLength);
      all.add(episodeReturn, episodeLength);
      const mean = recent.isFull ? recent.returnMean() : null;
      if (mean !== null && mean > SOLVED_RETURN) solvedSeconds ??= (performance.now() - startedAt) / 1000;
      ends.push({ numEnvSteps: training.numEnvSteps, episodeReturn, mean });
    },
    isFinished: () =>
      (all.isFull && (all.returnMean() ?? 0) >= STOP_RETURN) || training.numEnvSteps >= stopSteps,
    report(isFinished: boolean) {
      const now = performance.now();
      if (now - reportedAt < REPORT_MS && !isFinished) return;
      reportedAt = now;
      const seconds = (now - startedAt) / 1000;
      const { numEnvSteps } = training;
      const recentRate = rate(now, numEnvSteps);
      post({
        kind: 'progress',
        numEnvSteps,
        numEpisodes,
        seconds,
        stepsPerSecond: isFinished ? (numEnvSteps - firstStep) / seconds : recentRate,
        solvedSeconds,
        ends,
        weights: training.weights(),
        isFinished,
      });
      ends = [];
    },
  };
}

/** Steps per second over the last second. */
function createRate(startedAt: number, firstStep: number) {
  const points = [{ time: startedAt, steps: firstStep }];
  return (time: number, steps: number): number => {
    points.push({ time, steps });
    while (points.length > 2 && time - points[1].time > RATE_MS) points.shift();
    return ((steps - points[0].steps) * 1000) / (time - points[0].time);
  };
}

/** Sleeps as long as training is ahead of the pace that the page asks for. */
function createPace() {
  let dueAt = performance.now();
  return async (numSteps: number) => {
    const now = performance.now();
    dueAt = stepsPerSecond === null ? now : Math.max(now - 100, dueAt) + (1000 * numSteps) / stepsPerSecond;
    if (dueAt - now > 4) await new Promise((resolve) => setTimeout(resolve, dueAt - now));
  };
}
