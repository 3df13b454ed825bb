/** Numbers that overflow end a run of every algorithm, on both engines, with a message that names what was large. */
import { expect, test } from 'vitest';
import { names, probe, subjectOf, type Values } from './subject.ts';

const LARGE = {
  // 1e30 squared is beyond float32
  rewards: { options: { scale: 1e30 }, told: /(reward|return)s? -?\d(\.\d+)?e\+(29|3\d)\b/ },
  observations: { options: { observationScale: 1e30 }, told: /observations? -?\d(\.\d+)?e\+(29|30)\b/ },
};

/** A Huber loss grows with the error, not with its square, and layer normalisation scales what it gets: everything stays finite. */
const BEAR = { rewards: ['dqn', 'tqc'], observations: ['pqn'] };

const cases = names.flatMap((name) =>
  (['rewards', 'observations'] as const).flatMap((what) =>
    (['simd', 'tensorflow'] as const).map((engine) => [name, what, engine] as const),
  ),
);

test.each(cases)('%s names %s of 1e30 on %s', async (name, what, engine) => {
  const subject = await subjectOf(name);
  const learners: Values = { learners: { engine }, training: { activation: 'relu' } };
  const { options, told } = LARGE[what];
  const algorithm = await subject.build(subject.settings.plain, probe(subject, options), learners);
  try {
    const failure = await trainTwice(algorithm.train);
    if (BEAR[what].includes(name)) return expect(failure).toBeNull();
    expect(failure).toMatchObject({ code: 'ENGINE_NON_FINITE' });
    return expect((failure as Error).message).toMatch(told);
  } finally {
    await algorithm.stop();
  }
});

async function trainTwice(train: () => Promise<unknown>): Promise<unknown> {
  try {
    for (let k = 0; k < 2; k++) await train();
  } catch (error) {
    return error;
  }
  return null;
}
