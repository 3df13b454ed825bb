/** What `operant new browser` writes: a page that trains CartPole and shows it, for Vite. */

export const packageTemplate = (name: string, version: string) => `{
  "name": "${name}",
  "private": true,
  "type": "module",
  "scripts": {
    "dev": "vite",
    "build": "vite build",
    "preview": "vite preview"
  },
  "dependencies": {
    "operant": "^${version}"
  },
  "devDependencies": {
    "vite": "^8.0.0"
  }
}
`;

export const VITE_CONFIG = `import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  worker: { format: 'es' },
  build: { target: 'es2022' },
  optimizeDeps: { exclude: ['operant'] },
});
`;

export const HTML = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Learning in this tab</title>
    <link rel="icon" href="data:," />
    <style>
      body { font: 16px system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
      canvas { width: 100%; height: 220px; border: 1px solid #8884; border-radius: 8px; }
    </style>
    <script type="module" src="./page.ts"></script>
  </head>
  <body>
    <h1>CartPole, learnt in this tab</h1>
    <canvas id="pole" width="880" height="440"></canvas>
    <p>Mean return of the last 20 episodes, over environment steps: <output id="mean">–</output></p>
    <canvas id="curve" width="880" height="440"></canvas>
    <p id="state" role="status">Loading</p>
  </body>
</html>
`;

export const TRAINER = `/** The thread that trains: an iteration takes it, so that the page stays free to draw. */
import { cartPoleVector, createEpisodeWindow, createPPOTraining, loadPageKernels } from 'operant/browser';
import relaxed from 'operant/kernels/relaxed-unshared.wasm?url';
import strict from 'operant/kernels/strict-unshared.wasm?url';

const STOP_STEPS = 100_000;

const kernels = await loadPageKernels({ relaxed, strict });
// Options have the names, bounds and defaults of docs/options.md. An environment of your own: (n) => vectorizeEnv(() => myEnv(), n)
const training = await createPPOTraining(cartPoleVector, kernels, {
  envRunners: { numEnvs: 8, rolloutLength: 64 },
  training: {
    learningRate: { schedule: 'linear', from: 1e-3, to: 0 },
    scheduleSteps: STOP_STEPS,
    gamma: 0.98,
    gaeLambda: 0.8,
    numEpochs: 10,
  },
  debugging: { seed: 1 },
});
const recent = createEpisodeWindow(20);
while (training.numEnvSteps < STOP_STEPS) {
  const { numEnvSteps, episodes } = await training.train();
  for (const { episodeReturn, episodeLength } of episodes) recent.add(episodeReturn, episodeLength);
  const mean = recent.isFull ? recent.returnMean() : null;
  self.postMessage({ kernels, spec: training.spec, weights: training.weights(), numEnvSteps, mean, isOver: numEnvSteps >= STOP_STEPS });
}
`;

export const PAGE = `/** The page: shows what the trainer says, and plays its policy. */
import { cartPole, createPageActor } from 'operant/browser';

const element = (id: string) => document.getElementById(id)!;
const context = (id: string) => (element(id) as HTMLCanvasElement).getContext('2d')!;

const env = cartPole();
let actor: ReturnType<typeof createPageActor> | null = null;
let observation: unknown;
let numEpisodes = 0;
const points: { steps: number; mean: number }[] = [];

const trainer = new Worker(new URL('./trainer.ts', import.meta.url), { type: 'module' });
trainer.addEventListener('error', ({ message }) => {
  element('state').textContent = \`Training failed: \${message}\`;
});
trainer.addEventListener('message', ({ data: { kernels, spec, weights, numEnvSteps, mean, isOver } }) => {
  actor ??= createPageActor(kernels, spec, weights, env);
  actor.setWeights(weights);
  if (mean !== null) {
    points.push({ steps: numEnvSteps, mean });
    element('mean').textContent = mean.toFixed(1);
    drawCurve();
  }
  element('state').textContent = isOver ? 'Finished' : \`Training: \${numEnvSteps} steps\`;
});

function drawCurve() {
  const pen = context('curve');
  const { width, height } = pen.canvas;
  pen.clearRect(0, 0, width, height);
  pen.beginPath();
  for (const { steps, mean } of points) pen.lineTo((steps / points[points.length - 1].steps) * width, height * (1 - mean / 500));
  pen.strokeStyle = '#3b6fd4';
  pen.lineWidth = 3;
  pen.stroke();
}

function drawPole() {
  const pen = context('pole');
  const { width, height } = pen.canvas;
  const [position, , angle] = env.getState!() as number[];
  const x = width / 2 + (position / 4.8) * width;
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = '#888';
  pen.fillRect(x - 50, height - 60, 100, 40);
  pen.beginPath();
  pen.moveTo(x, height - 60);
  pen.lineTo(x + 300 * Math.sin(angle), height - 60 - 300 * Math.cos(angle));
  pen.strokeStyle = '#c97b2d';
  pen.lineWidth = 14;
  pen.stroke();
}

// The environment's time step is 20 ms.
setInterval(() => {
  if (actor === null) return;
  if (observation === undefined) observation = env.reset({ seed: numEpisodes++ }).observation;
  const result = env.step(actor.act(observation));
  observation = result.terminated ? undefined : result.observation;
  drawPole();
}, 20);
`;
