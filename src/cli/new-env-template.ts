/** What `operant new env` writes. */

/** A small task that PPO's defaults learn within a minute, with a comment wherever something may be changed. */
export function environmentTemplate(isJavaScript: boolean): string {
  return isJavaScript ? withoutTypes(ENVIRONMENT) : ENVIRONMENT;
}

/** A test for Node's own runner. */
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

/** Types stand alone on their lines or behind a mark, so that taking them out needs no parser. */
function withoutTypes(source: string): string {
  return source
    .replace(', type Env,', ',')
    .replace('(x: number)', '(x)')
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

    // Optional: what operant evaluate --watch shows.
    render() {
      const track = new Array(41).fill('-');
      const place = (x: number) => Math.round(((x + 2) / 4) * 40);
      track[place(target)] = 'T';
      track[place(position)] = '@';
      return track.join('');
    },
  };
};
`;
