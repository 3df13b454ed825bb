/** A trial shorter than an iteration would run past its steps: it is refused, or never drawn. */
import { expect, it } from 'vitest';
import { algorithms } from '../../algorithms/registry.ts';
import { registerShippedEnvs } from '../../envs/index.ts';
import { configToJson } from '../../src/config/option.ts';
import { choice, uniform } from '../../src/config/search-space.ts';
import { iterationProblems, searchesIterations } from '../../src/tune/iteration-steps.ts';
import { acceptanceOf, completeSettings, trialLayers } from '../../src/tune/settings.ts';

registerShippedEnvs();

const messagesOf = async (algorithm: keyof typeof algorithms, config: object, trialSteps: number) => {
  const { resolve } = await algorithms[algorithm]();
  const values = { environment: { env: 'CartPole-v1' }, ...config };
  const resolved = configToJson(resolve([{ values, source: 'a test' }]));
  return iterationProblems(resolved, trialSteps).map(({ message }) => message);
};

it.each([
  [
    'ppo',
    { envRunners: { numEnvs: 4, rolloutLength: 32 } },
    128,
    /128 steps \(numEnvs 4 \* rolloutLength 32\)/,
  ],
  [
    'impala',
    { envRunners: { numEnvs: 4, rolloutLength: 20 }, training: { fragmentsPerIteration: 3 } },
    240,
    /240 steps \(numEnvs 4 \* rolloutLength 20 \* fragmentsPerIteration 3\)/,
  ],
  [
    'dqn', // 100 steps are 9 rounds of 12
    { envRunners: { numEnvs: 3 }, training: { stepsPerIteration: 100, trainEvery: 4 } },
    108,
    /108 steps \(stepsPerIteration 100, in rounds of numEnvs 3 \* trainEvery 4\)/,
  ],
] as const)(
  '%s: as long as an iteration is enough, a step less is not',
  async (name, config, numSteps, from) => {
    expect(await messagesOf(name, config, numSteps)).toEqual([]);
    const [message] = await messagesOf(name, config, numSteps - 1);
    expect(message).toMatch(from);
    expect(message).toContain(`\`trialSteps\` (${numSteps - 1}) is less than`);
  },
);

it('says nothing of an algorithm whose iterations have other options', () => {
  expect(iterationProblems({ training: { population: 64 } }, 1)).toEqual([]);
  expect(iterationProblems({ envRunners: { numEnvs: 8 } }, 1)).toEqual([]);
});

it('where a study searches the length of rollouts, those that a trial is too short for are never drawn', async () => {
  const definition = await algorithms.ppo();
  const given = [
    { values: { environment: { env: 'CartPole-v1' }, envRunners: { numEnvs: 8 } }, source: 'a test' },
  ];
  const layers = trialLayers(definition, given, false);
  const space = { rolloutLength: choice([32, 64, 128]), gamma: uniform(0.9, 1) };
  expect(searchesIterations(space)).toBe(true);
  const partial = { algorithm: 'ppo', layers, space };
  const settings = completeSettings({ ...partial, trialSteps: 512 }, definition);
  const accepts = acceptanceOf(settings, definition);
  expect([32, 64, 128].map((rolloutLength) => accepts({ rolloutLength, gamma: 0.9 }))).toEqual([
    true,
    true,
    false,
  ]);
  expect(() => completeSettings({ ...partial, trialSteps: 255 }, definition)).toThrow(
    /No values .* With .*`trialSteps` \(255\) is less than one iteration takes/,
  );
});
