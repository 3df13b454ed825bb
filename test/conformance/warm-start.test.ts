/** A new run that begins with what another one learned: every algorithm, whole and in parts, and never when it resumes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import type { CheckpointContent, NamedTensor } from '../../src/checkpoint/content.ts';
import { Algorithm as Restored } from '../../src/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { names, runOut, type Subject, subjectOf, type Values } from './subject.ts';

const WEIGHTS = 'policies/default/weights.safetensors';
const MODEL = 'learner/model.safetensors';
const OPTIMIZERS = ['policies/default/optimizer.safetensors', 'learner/optimizer.safetensors'];
const inProcess: Values = { envRunners: { numEnvRunners: 0 } };
const seed = (value: number): Values => ({ debugging: { seed: value } });
const from = (initFrom: string, options: JsonObject = {}): Values => ({
  checkpointing: { initFrom, ...options },
});

type Tensors = Readonly<Record<string, NamedTensor>>;

/** Trained tensors, without statistics and targets. */
function weightsOf({ tensors }: CheckpointContent): Tensors {
  const all = { ...tensors[MODEL], ...tensors[WEIGHTS] };
  const isTrained = (name: string) => !/^(target|noise\/target|observation)\//.test(name);
  return Object.fromEntries(Object.entries(all).filter(([name]) => isTrained(name)));
}

function momentsOf({ tensors }: CheckpointContent): Tensors {
  return Object.assign({}, ...OPTIMIZERS.map((file) => tensors[file] ?? {})) as Tensors;
}

async function stateOf(algorithm: Algorithm): Promise<CheckpointContent> {
  try {
    return await algorithm.getState();
  } finally {
    await algorithm.stop();
  }
}

/** A run of three iterations with everything that has a state, saved. */
async function trained(
  subject: Subject,
  folder: string,
): Promise<{ path: string; content: CheckpointContent }> {
  const algorithm = await subject.build(subject.settings.values, inProcess);
  for (let k = 0; k < 3; k++) await algorithm.train();
  const path = await algorithm.save(join(folder, 'saved'));
  return { path, content: await stateOf(algorithm) };
}

describe.each(names)('%s', async (name) => {
  const subject = await subjectOf(name);
  const { values } = subject.settings;
  const build = (...more: readonly Values[]) => subject.build(values, inProcess, seed(77), ...more);
  const folder = mkdtempSync(join(tmpdir(), 'operant-test-'));
  let source: Awaited<ReturnType<typeof trained>>;
  beforeAll(async () => {
    source = await trained(subject, folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('takes all weights and statistics, targets as copies, and begins anew otherwise', async () => {
    const algorithm = await build(from(source.path));
    expect(algorithm.initializedFrom).toMatchObject({ checkpoint: source.path, left: [] });
    expect(algorithm.initializedFrom?.taken).toContain('observation statistics');
    const content = await stateOf(algorithm);
    expect(weightsOf(content)).toEqual(weightsOf(source.content));
    const model = { ...content.tensors[MODEL], ...weightsOf(content) };
    const acting = Object.keys(model).filter((tensor) => tensor.startsWith('target/'));
    for (const tensor of acting) {
      const followed = tensor.slice('target/'.length);
      const name = followed in model ? followed : followed.replace(/^\w+/, 'actor');
      expect(model[tensor].data, tensor).toEqual(model[name].data);
    }
    const state = content.json['state.json'];
    expect(state.observationMoments).toEqual(source.content.json['state.json'].observationMoments);
    expect(state).toMatchObject({ iteration: 0, numEnvSteps: 0, seed: 77 });
    for (const { data } of Object.values(momentsOf(content))) expect(data.every((x) => x === 0)).toBe(true);
  });

  test("with the optimizer's state", async () => {
    const content = await stateOf(await build(from(source.path, { initOptimizer: true })));
    expect(momentsOf(content)).toEqual(momentsOf(source.content));
    const steps = ({ optimizerStep, optimizer }: JsonObject) =>
      optimizerStep ?? (optimizer as JsonObject).steps;
    expect(steps(content.json['state.json'])).toEqual(steps(source.content.json['state.json']));
  });

  test('takes what fits of a larger network, and says what does not', async () => {
    const wide: Values = { training: { hiddenSizes: [16, 24] } };
    const other = await build(wide, from(source.path));
    const anew = weightsOf(await stateOf(await build(wide)));
    const report = other.initializedFrom;
    const weights = weightsOf(await stateOf(other));
    expect(report?.taken).toContain('actor/0');
    expect(report?.left).toContainEqual({
      name: 'actor/1',
      why: 'actor/1/kernel is [16, 16] in the checkpoint, [16, 24] here',
    });
    expect(weights['actor/0/kernel']).toEqual(weightsOf(source.content)['actor/0/kernel']);
    expect(weights['actor/0/kernel']).not.toEqual(anew['actor/0/kernel']);
    expect(weights['actor/1/kernel']).toEqual(anew['actor/1/kernel']);
  });

  test('takes the networks that are named, and knows their names', async () => {
    const algorithm = await build(from(source.path, { initNetworks: ['actor'] }));
    const taken = algorithm.initializedFrom?.taken ?? [];
    await algorithm.stop();
    expect(taken.filter((layer) => !/^(actor|noise\/q)\/| statistics$/.test(layer))).toEqual([]);
    await expect(build(from(source.path, { initNetworks: ['actr'] }))).rejects.toMatchObject({
      code: 'CONFIG_INIT_NETWORKS',
      message: expect.stringMatching(/`actr`.*are: .*actor/),
    });
  });

  test('learns on from there, the same run again, and a resume takes nothing', async () => {
    const first = await build(from(source.path));
    await first.train();
    const path = await first.save(join(temporaryFolder(), 'second'));
    const expected = await runOut(first, 1);
    const again = await build(from(source.path));
    await again.train();
    expect(await runOut(again, 1)).toEqual(expected);
    const resumed = await Restored.fromCheckpoint(path, inProcess, { trust: true });
    expect(resumed.initializedFrom).toBeUndefined();
    expect(await runOut(resumed, 1)).toEqual(expected);
    expect(readFileSync(join(path, 'config.json'), 'utf8')).toContain('"initFrom"');
  });
});
