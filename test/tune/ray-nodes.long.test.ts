/** A study on a Ray cluster of which a node joins and another is lost. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { logUniform, Tuner } from '../../src/index.ts';
import { findRay, startRayCluster } from '../cluster/ray-cluster.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { journalOf } from './journal-told.ts';

/** An episode of ten steps. From its 100th step on, each waits for the gate to be opened: a trial ends when it is told to. */
const HELD = `import { existsSync } from 'node:fs';
const clock = new Int32Array(new SharedArrayBuffer(4));
export default ({ gate }) => {
  let x = 0;
  let numSteps = 0;
  return {
    observationSpace: { kind: 'box', shape: [1], dtype: 'float32', low: Float32Array.of(0), high: Float32Array.of(10), size: 1 },
    actionSpace: { kind: 'discrete', n: 2, start: 0 },
    reset: () => { x = 0; return { observation: [0] }; },
    step: (action) => {
      numSteps += 1;
      while (numSteps > 100 && !existsSync(gate)) Atomics.wait(clock, 0, 0, 50);
      x += 1;
      return { observation: [x], reward: Number(action), terminated: x === 10, truncated: false };
    },
    close: () => {},
  };
};
`;

test.skipIf(findRay() === null)(
  'a node that joins takes a trial, one that is lost gives its own up, and the study is the same',
  async () => {
    const folder = temporaryFolder();
    const gate = join(folder, 'gate');
    writeFileSync(join(folder, 'held.mjs'), HELD);
    writeFileSync(join(folder, 'package.json'), '{"name":"mine","type":"module"}');
    const study = (name: string, more: object) =>
      new Tuner({
        algorithm: 'ppo',
        config: {
          environment: { env: './held.mjs', envOptions: { gate } },
          envRunners: { numEnvs: 4, rolloutLength: 32 },
          training: { minibatchSize: 64, numEpochs: 2 },
          checkpointing: { checkpointEvery: 1 },
        },
        space: { learningRate: logUniform(1e-4, 1e-2) },
        ...{ numTrials: 3, trialSteps: 1024, finalSeeds: 0 },
        ...more,
        out: join(folder, name),
      }).fit();
    const home = process.cwd();
    process.chdir(folder);
    const own = await startRayCluster({ numNodes: 1 });
    try {
      writeFileSync(gate, '');
      await study('local', {});
      rmSync(gate);
      const place = { rayAddress: own.address, hostDeadlineSeconds: 60, trialResources: { CPU: 4 } };
      const going = study('there', { parallel: 2, ray: place, maxRetries: 1 });
      const runs = ['0000', '0001'].map((name) => join(folder, 'there', 'trials', name, 'seed-0'));
      const until = async (isSo: () => boolean) => {
        while (!isSo()) await Promise.race([pause(50), going.then(() => expect(isSo()).toBe(true))]);
      };
      await until(() => runs.some((run) => existsSync(join(run, 'latest'))));
      const [held, late] = existsSync(runs[0]) ? runs : runs.toReversed(); // both ask at once for the only room
      expect(existsSync(late)).toBe(false);
      const log = readFileSync(join(held, 'progress.jsonl'), 'utf8');
      await own.addNode();
      await until(() => own.pidsOfNode(1).some((pid) => own.pids('trial').includes(pid)));
      await own.removeNode(0);
      writeFileSync(gate, '');
      await going;
      expect(journalOf(join(folder, 'there'))).toEqual(journalOf(join(folder, 'local')));
      const [first] = readFileSync(join(held, 'progress.jsonl'), 'utf8').split('\n');
      expect(first).toBe(log.split('\n')[0]); // it went on from its checkpoint on the other node
    } finally {
      process.chdir(home);
      await own.stop();
    }
  },
  600_000,
);
