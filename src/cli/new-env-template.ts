/** What `operant new env` writes. */

/** A small task that PPO's defaults learn within a minute, with a comment wherever something may be changed. */
export function environmentTemplate(isJavaScript: boolean): string {
  return isJavaScript ? withoutTypes(ENVIRONMENT) : ENVIRONMENT;
}

/** A test for Node's own runner. @param extension of the import: TypeScript finds `x.ts` as `x.js`, with every setting of its own. */
export function testTemplate(name: string, extension: string): string {
  return `import assert from 'node:assert/strict';
import test from 'node:test';
import { checkEnv, formatCheckReport } from 'operant';
import createEnv from './${name}.${extension}';

test('keeps the promises of an environment', () => {
  const report = checkEnv(createEnv);
  assert.ok(report.ok, formatCheckReport(report));
});

test('gives 1 for docking', () => {
  const env = createEnv();
  env.reset({ seed: 1 });
  env.setState?.({ position: 0.5, velocity: 0, target: 0.5 });
  assert.equal(env.step(1).terminated, true);
});
`;
}

/** A program that acts with the trained policy; nothing at its top level waits, so it runs as a CommonJS module, too. */
export function playTemplate(name: string, extension: string, run: string): string {
  return `import { loadPolicy } from 'operant';
import createEnv from './${name}.${extension}';

/** One episode with the trained policy: what a program of yours does with it. */
async function play() {
  const policy = await loadPolicy('${run}'); // its latest checkpoint; '${run}/best' is the best one
  const actor = policy.actor();
  const env = createEnv();
  let { observation } = env.reset({ seed: 7 });
  let total = 0;
  for (let step = 0; step < (env.maxEpisodeSteps ?? 1000); step++) {
    const result = env.step(actor.act(observation));
    observation = result.observation;
    total += result.reward;
    console.log(env.render?.('ansi'));
    if (result.terminated || result.truncated) break;
  }
  console.log('return', total.toFixed(3));
}
void play();
`;
}

/** Types stand alone on their lines or behind a mark, so that taking them out needs no parser. */
function withoutTypes(source: string): string {
  return source
    .replace(', type Env,', ',')
    .replace('(x: number)', '(x)')
    .replace('(at: number)', '(at)')
    .replace('): Env => {', ') => {')
    .replace(' as { position: number; velocity: number; target: number }', '');
}

const ENVIRONMENT = `import { Box, Discrete, type Env, openEnvRandom } from 'operant';

/**
 * Dock: steer a probe to its target and stop there. Change it into your own task.
 *
 * Options come from --env-options '{"maxEpisodeSteps": 50}' or .environment('./this-file', { ... }).
 */
export default ({ maxEpisodeSteps = 100 } = {}): Env => {
  // The state. One call of this function makes one environment: keep everything inside it.
  let position = 0;
  let velocity = 0;
  let target = 0;

  // What the policy sees. Numbers of about [-1, 1] learn best.
  const observe = () => Float32Array.of(position, velocity, target - position);

  return {
    // Three numbers, with their bounds. Images: new Box(0, 255, [height, width, 3], 'uint8').
    observationSpace: new Box([-2, -2, -3], [2, 2, 3]),
    // Thrust to the left, none, to the right. Continuous: new Box(-1, 1, [1]).
    actionSpace: new Discrete(3),
    // A time limit; it is reported as \`truncated\` for you.
    maxEpisodeSteps,

    reset({ seed = 0 } = {}) {
      // Everything random comes from the episode's seed: runs repeat exactly, and resume exactly.
      const random = openEnvRandom(seed);
      position = random.uniform(-1, 1);
      target = random.uniform(-1, 1);
      velocity = 0;
      return { observation: observe() };
    },

    step(action) {
      const thrust = Number(action) - 1;
      velocity = Math.max(-2, Math.min(2, 0.95 * velocity + 0.1 * thrust));
      position = Math.max(-2, Math.min(2, position + 0.1 * velocity));
      const distance = Math.abs(target - position);
      const isDocked = distance < 0.05 && Math.abs(velocity) < 0.15;
      return {
        observation: observe(),
        // 1 for docking; a little less for every step spent far away.
        reward: isDocked ? 1 : -0.02 * distance,
        // The task itself has ended: nothing of value follows. Not for time limits.
        terminated: isDocked,
        truncated: false,
        // Numbers in here are averaged into the metrics env/distance.
        info: { metrics: { distance } },
      };
    },

    // Optional: with these two a run resumes in mid-episode without replaying it.
    getState: () => ({ position, velocity, target }),
    setState(state) {
      ({ position, velocity, target } = state as { position: number; velocity: number; target: number });
    },

    // Optional: text for operant evaluate --watch, a picture (3 bytes a pixel) for --render film.gif.
    render(mode = 'ansi') {
      const width = mode === 'rgb' ? 164 : 41;
      const place = (x: number) => Math.round(((x + 2) / 4) * (width - 1));
      if (mode === 'ansi') {
        const track = new Array(width).fill('-');
        track[place(target)] = 'T';
        track[place(position)] = '@';
        return track.join('');
      }
      const height = 24;
      const pixels = new Uint8Array(width * height * 3).fill(255);
      for (let y = 4; y < 20; y++) {
        for (let x = -2; x <= 2; x++) {
          const column = (at: number) => 3 * (y * width + Math.max(0, Math.min(width - 1, place(at) + x)));
          pixels.set([40, 160, 80], column(target));
          pixels.set([200, 60, 40], column(position));
        }
      }
      return { width, height, pixels };
    },
  };
};
`;
