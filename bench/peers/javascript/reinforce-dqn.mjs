/**
 * reinforce-js' DQN on CartPole: of the JavaScript learners on npm that were tried, the one that installs. Another algorithm than ours, so only its
 * steps/s and its returns are told. `node reinforce-dqn.mjs TASK REINFORCE_JS`
 */
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const task = JSON.parse(process.argv[2]);
const { default: reinforce } = await import(pathToFileURL(process.argv[3]).href);
const { DQNSolver, DQNEnv, DQNOpt } = reinforce;

/** Gymnasium's CartPole-v1, Euler steps. */
function createCartPole(random) {
  let state = [0, 0, 0, 0];
  return {
    reset: () => (state = state.map(() => random() * 0.1 - 0.05)),
    step(action) {
      const [x, velocity, angle, spin] = state;
      const push = action === 1 ? 10 : -10;
      const temporary = (push + 0.05 * spin * spin * Math.sin(angle)) / 1.1;
      const turn =
        (9.8 * Math.sin(angle) - Math.cos(angle) * temporary) /
        (0.5 * (4 / 3 - (0.1 * Math.cos(angle) ** 2) / 1.1));
      const acceleration = temporary - (0.05 * turn * Math.cos(angle)) / 1.1;
      state = [x + 0.02 * velocity, velocity + 0.02 * acceleration, angle + 0.02 * spin, spin + 0.02 * turn];
      return { state, isOver: Math.abs(state[0]) > 2.4 || Math.abs(state[2]) > (12 * 2 * Math.PI) / 360 };
    },
  };
}

let word = task.seed + 1;
const random = () => {
  word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
  return word / 2 ** 32;
};
const options = new DQNOpt();
options.setTrainingMode(true);
options.setNumberOfHiddenUnits([64]);
options.setEpsilonDecay(1, 0.05, 10_000);
options.setGamma(0.99);
options.setAlpha(0.01);
options.setLossClipping(true);
options.setExperienceSize(10_000);
options.setReplayInterval(4);
options.setReplaySteps(32);
const solver = new DQNSolver(new DQNEnv(4, 1, 4, 2), options);

const env = createCartPole(random);
const returns = [];
const begin = performance.now();
const isOverTime = () => performance.now() - begin > (task.limitSeconds ?? Number.POSITIVE_INFINITY) * 1000;
let envSteps = 0;
while (envSteps < task.steps && !isOverTime()) {
  let state = env.reset();
  let length = 0;
  for (let isOver = false; !isOver && length < 500; length += 1) {
    const action = solver.decide(state);
    ({ state, isOver } = env.step(action));
    solver.learn(isOver ? -1 : 0.1);
  }
  envSteps += length;
  returns.push(length);
}
const seconds = (performance.now() - begin) / 1000;
const sinceStart = (Date.now() - task.startedMs) / 1000;
const peakMib = Math.round(process.resourceUsage().maxRSS / 1024);
process.stdout.write(
  `${JSON.stringify({ seconds, sinceStart, envSteps, returns: returns.slice(-100), peakMib })}\n`,
);
