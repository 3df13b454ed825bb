/** The page: starts the trainer, shows what it reports, and plays its policy. */
import { type ActingSpec, openPageStore } from '../../../browser/index.ts';
import { createGreedyPlayer, type GreedyPlayer, type PoleView } from './greedy-player.ts';
import { createLearningCurve } from './learning-curve.ts';
import { loadKernels } from './load-kernels.ts';
import type { Progress, TrainerReport, TrainerRequest } from './messages.ts';
import { createPoleScene } from './pole-scene.ts';
import { type AlgorithmName, SOLVED_RETURN, STORE } from './settings.ts';

const MAX_THREADS = 4; // an update of 256 rows has eight work items

const STILL: PoleView = { position: 0, angle: 0, numSteps: 0, numEpisodes: 0, opacity: 1, push: 0 };

const query = new URLSearchParams(location.search);
const algorithm: AlgorithmName = query.get('algo') === 'dqn' ? 'dqn' : 'ppo';
const numThreads =
  crossOriginIsolated && algorithm === 'ppo'
    ? Number(query.get('threads') ?? Math.min(navigator.hardwareConcurrency, MAX_THREADS))
    : 1; // no shared memory, nothing to share; an update of DQN is too small to be

function element<E extends HTMLElement = HTMLElement>(selector: string): E {
  const found = document.querySelector<E>(selector);
  if (found === null) throw new Error(`The page has no ${selector}.`);
  return found;
}

const main = element('main');
const scene = createPoleScene(element<HTMLCanvasElement>('#pole'));
const curve = createLearningCurve(element<HTMLCanvasElement>('#curve'));
const kernels = await loadKernels(false); // this thread's, to play with; the trainer loads its own
let seed = Number(query.get('seed') ?? 1);
let trainer: Worker | null = null;
let spec: ActingSpec | null = null;
let player: GreedyPlayer | null = null;
let position = 0; // of the cart that is shown, m

function show(selector: string, text: string, isOn = false): void {
  const target = element(selector);
  if (target.textContent !== text) target.textContent = text;
  target.classList.toggle('on', isOn);
}

function setState(state: 'loading' | 'training' | 'finished' | 'failed', text: string): void {
  main.dataset.state = state;
  show('#state', text);
}

const grouped = new Intl.NumberFormat('en');
const whole = (value: number) => grouped.format(Math.round(value));
const seconds = (value: number) => `${value.toFixed(1)} s`;

function pace(): { readonly stepsPerSecond: number | null } {
  const { value } = element<HTMLInputElement>('input[name=pace]:checked');
  return { stepsPerSecond: value === '' ? null : Number(value) };
}

const ask = (request: TrainerRequest): void => trainer?.postMessage(request);

/** @param from null = goes on from the training that was saved. */
function start(from: number | null): void {
  trainer?.terminate(); // and with it the helpers that it started
  player = null;
  curve.clear();
  for (const name of ['rate', 'steps', 'episodes', 'mean', 'solved']) show(`#${name}`, '–');
  setState('loading', from === null ? 'Loading the saved training' : `Seed ${from}: starting`);
  element<HTMLButtonElement>('#save').disabled = true;
  trainer = new Worker(new URL('./trainer-worker.ts', import.meta.url), { type: 'module' });
  trainer.addEventListener('message', ({ data }: MessageEvent<TrainerReport>) => receive(data));
  trainer.addEventListener('error', ({ message }) => fail(message));
  ask({ kind: 'start', algorithm, seed: from, numThreads, ...pace() });
}

function fail(message: string): void {
  setState('failed', `Training failed. ${message}`);
}

function receive(report: TrainerReport): void {
  if (report.kind === 'progress') showProgress(report);
  else if (report.kind === 'failed') fail(report.message);
  else if (report.kind === 'saved') showSaved(report.numEnvSteps, report.message);
  else {
    ({ spec, seed } = report);
    const { numEnvSteps } = report;
    setState(
      'training',
      `Seed ${seed}: training${numEnvSteps > 0 ? ` on from step ${whole(numEnvSteps)}` : ''}`,
    );
    element<HTMLButtonElement>('#save').disabled = false;
  }
}

function showSaved(numEnvSteps: number, problem: string | null): void {
  show('#state', problem ?? `Seed ${seed}: saved at step ${whole(numEnvSteps)}, in this browser`);
  if (problem === null) element<HTMLButtonElement>('#restore').disabled = false;
}

function showProgress(progress: Progress): void {
  const { numEnvSteps, ends, weights, solvedSeconds, isFinished } = progress;
  if (spec === null) return;
  player ??= createGreedyPlayer(kernels, spec, weights);
  player.setWeights(weights);
  curve.add(ends, numEnvSteps);
  show('#rate', whole(progress.stepsPerSecond));
  show('#steps', whole(numEnvSteps));
  show('#episodes', whole(progress.numEpisodes));
  const mean = ends.at(-1)?.mean ?? null;
  if (mean !== null) show('#mean', mean.toFixed(1), mean > SOLVED_RETURN);
  if (solvedSeconds !== null) show('#solved', seconds(solvedSeconds), true);
  if (isFinished) setState('finished', `Seed ${seed}: finished after ${seconds(progress.seconds)}`);
}

let shownAt = performance.now();

function drawFrame(now: number): void {
  const view = player?.advance(Math.min(100, now - shownAt)) ?? STILL;
  shownAt = now;
  scene.draw(view);
  curve.draw();
  if (player !== null) show('#episode', `episode ${view.numEpisodes} · return ${view.numSteps}`);
  position = view.position;
  requestAnimationFrame(drawFrame);
}

const canvas = element('#pole');
canvas.addEventListener('pointerdown', ({ clientX }) => {
  player?.push(scene.metresAt(clientX) < position ? 1 : -1);
});
canvas.addEventListener('keydown', (event) => {
  const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (direction === undefined) return;
  event.preventDefault();
  player?.push(direction);
});
element('form').addEventListener('change', () => ask({ kind: 'pace', ...pace() }));
element('#save').addEventListener('click', () => ask({ kind: 'save' }));
element('#restore').addEventListener('click', () => start(null));
element('form').addEventListener('submit', (event) => {
  event.preventDefault();
  seed += 1;
  start(seed);
});

show('#algorithm', algorithm === 'dqn' ? 'DQN' : 'PPO');
show('#isolation', crossOriginIsolated ? 'cross-origin isolated' : 'not isolated', crossOriginIsolated);
show('#build', `${kernels.build} SIMD`, kernels.build === 'relaxed');
show('#threads', numThreads === 1 ? '1 thread' : `${numThreads} threads`, numThreads > 1);
start(seed);
requestAnimationFrame(drawFrame);
openPageStore(STORE).then(
  async (store) => {
    element<HTMLButtonElement>('#restore').disabled = !(await store.names()).includes(algorithm);
    store.close();
  },
  () => undefined, // nothing is kept here; saving says why
);
