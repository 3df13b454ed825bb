/** `numEnvRunners: 0`: the same sampler in the main thread; for debugging, and for bare environment factories. */
import { type CentralActor, collectCentrally, type Stepper } from './central-inference.ts';
import { createEnvFaultBook, type EnvRestartLimit } from './env-fault-log.ts';
import { createEpisodeLedger } from './episode-ledger.ts';
import { openRollout } from './layout.ts';
import { meansOf } from './metric-sums.ts';
import { placeEnvError } from './place-env-error.ts';
import { poisonRollout } from './poison.ts';
import { withEnvStates } from './row-states.ts';
import { createRunner, type Runner, type RunnerOptions } from './runner.ts';
import type { RunnerGroup } from './runner-group.ts';

export type InProcessRunnerGroupOptions = Omit<RunnerOptions, 'states' | 'firstRow'> & {
  readonly central: CentralActor | null;
  readonly poison: boolean;
} & EnvRestartLimit;

export function createInProcessRunnerGroup(options: InProcessRunnerGroupOptions): RunnerGroup {
  const { arena, sampling, spec, source, numRows, central } = options;
  const faults = createEnvFaultBook(options);
  const ledger = createEpisodeLedger(spec, numRows);
  const sets = sampling.setAddresses.map((address) => openRollout(arena.buffer, address, sampling.rollout));
  let runner: Runner | undefined;
  let numCollected = 0;
  let isCollecting = false;
  let restarted: number[] = [];
  const started = (): Runner => {
    if (runner === undefined) throw new TypeError('Call start() before collect().');
    return runner;
  };
  return {
    numEnvRunners: 0,
    get isCollecting() {
      return isCollecting;
    },
    async start(states) {
      if (states !== null) ledger.setRowStates(states);
      runner?.close();
      try {
        runner = await createRunner({ ...options, firstRow: 0, states });
      } catch (error) {
        throw placeEnvError(error, source, 0);
      }
      isCollecting = false;
      ledger.restartRows(runner.restarted);
      restarted = [...runner.restarted];
      central?.start(states, runner.restarted);
      return runner.restarted;
    },
    async collect(version) {
      const { sampler } = started();
      isCollecting = true;
      const set = numCollected++ % sets.length;
      const rollout = sets[set];
      if (options.poison) poisonRollout(rollout);
      try {
        if (central === null) sampler.collect(set, version);
        else await collectCentrally(central, directStepper(started(), set, version), rollout);
      } catch (error) {
        throw placeEnvError(error, source, 0);
      }
      faults.absorb([started().takeEnvFaults()]);
      const episodes = ledger.absorb(rollout);
      isCollecting = false;
      return { rollout, episodes, metrics: meansOf(sampler.takeMetrics() ?? {}) };
    },
    async play(request) {
      try {
        return await started().player.play(request);
      } catch (error) {
        throw placeEnvError(error, source, 0);
      }
    },
    async getStates() {
      if (isCollecting) return ledger.rowStates(0, numRows);
      return withEnvStates(ledger.rowStates(0, numRows), started().envStates());
    },
    takeEnvFaults: faults.take,
    noteEnvFaults: (report) => faults.absorb([report]),
    takeFailures: () => [],
    takeRestarted: () => restarted.splice(0),
    async stop() {
      runner?.close();
      runner = undefined;
    },
  };
}

function directStepper({ sampler }: Runner, set: number, version: number): Stepper {
  return {
    isSplit: false,
    begin: async () => sampler.begin(set),
    step: async (t) => sampler.step(set, t),
    finish: async () => sampler.finish(set, version),
  };
}
