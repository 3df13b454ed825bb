/** Optuna itself reads a study's journal, and with it `optuna-dashboard`. OPERANT_OPTUNA_PYTHON names a Python with optuna; without one this is skipped. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { choice, logUniform, Tuner } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const PYTHON = process.env.OPERANT_OPTUNA_PYTHON ?? 'python3';
const hasOptuna = spawnSync(PYTHON, ['-c', 'import optuna']).status === 0;
const READ = `
import json, sys, optuna
from optuna.storages.journal import JournalFileBackend
study = optuna.load_study(study_name="study", storage=optuna.storages.JournalStorage(JournalFileBackend(sys.argv[1])))
told = [[t.number, t.state.name, t.values, t.params, t.intermediate_values] for t in study.trials]
print(json.dumps({"direction": study.direction.name, "trials": told}))
`;
const STATES = { complete: 'COMPLETE', stopped: 'PRUNED', failed: 'FAIL', running: '', waiting: '' } as const;

test.skipIf(!hasOptuna)(
  'Optuna sees each trial with its state, values, scores and direction',
  async () => {
    const out = join(temporaryFolder(), 'study');
    const { trials } = await new Tuner({
      ...{ algorithm: 'ppo', tuned: false, config: { environment: { env: 'CartPole' } }, out },
      // 4096 rows are more than a rollout has: such a trial fails
      space: { learningRate: logUniform(1e-4, 1e-2), minibatchSize: choice([64, 4096]) },
      ...{ numTrials: 8, trialSteps: 4096, scheduler: 'asha', gracePeriod: 1024, reductionFactor: 2 },
      ...{ finalSeeds: 0, parallel: 2 },
    }).fit();
    const { stdout, stderr } = spawnSync(PYTHON, ['-c', READ, join(out, 'journal.log')], {
      encoding: 'utf8',
    });
    expect(stdout, stderr).not.toBe('');
    const expected = trials.map(({ number, state, score, values, steps, scores }) => [
      ...[number, STATES[state], state === 'complete' ? [score] : null, values],
      Object.fromEntries(steps.map((step, k) => [step, scores[k]])),
    ]);
    expect(JSON.parse(stdout)).toEqual({ direction: 'MAXIMIZE', trials: expected });
    expect(new Set(trials.map(({ state }) => state))).toEqual(new Set(['complete', 'stopped', 'failed']));
  },
  240_000,
);
