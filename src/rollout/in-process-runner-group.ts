/** `numEnvRunners: 0`: the same sampler in the main thread; for debugging, for bare environment factories, and for short fragments. */

import { openRollout, type RolloutViews } from '../experience/layout.ts';
import { type CentralActor, collectCentrally, type Stepper } from './central-inference.ts';
import { createEnvFaultBook, type EnvFaultBook, type EnvRestartLimit } from './env-fault-log.ts';
import { createEpisodeLedger, type EpisodeLedger } from './episode-ledger.ts';
import { meansOf } from './metric-sums.ts';
import { placeEnvError } from './place-env-error.ts';
import { poisonRollout } from './poison.ts';
import { type RowState, withEnvStates, withNextOptions } from './row-states.ts';
import { createRunner, type Runner, type RunnerOptions } from './runner.ts';
import type { Collected, RunnerGroup } from './runner-group.ts';

export type InProcessRunnerGroupOptions = Omit<RunnerOptions, 'states' | 'firstRow'> & {
  readonly central: CentralActor | null;
  readonly poison: boolean;
} & EnvRestartLimit;

const NO_METRICS: Readonly<Record<string, number>> = {};

export function createInProcessRunnerGroup(options: InProcessRunnerGroupOptions): RunnerGroup {
  const { spec, source, numRows, central } = options;
  const faults = createEnvFaultBook(options);
  const ledger = createEpisodeLedger(spec, numRows, options.envOptions);
  const live: LiveRunner = { runner: undefined, isCollecting: false };
  const collecting = createCollecting(options, live, ledger, faults);
  let restarted: number[] = [];
  const start = async (states: readonly RowState[] | null): Promise<readonly number[]> => {
    if (states !== null) ledger.setRowStates(states);
    live.runner?.close();
    let runner: Runner;
    try {
      runner = await createRunner({ ...options, firstRow: 0, states });
    } catch (error) {
      throw placeEnvError(error, source, 0);
    }
    live.runner = runner;
    live.isCollecting = false;
    ledger.restartRows(runner.restarted);
    restarted = [...runner.restarted];
    central?.start(states, runner.restarted);
    return runner.restarted;
  };
  const getStates = async (): Promise<RowState[]> => {
    if (live.isCollecting) return ledger.rowStates(0, numRows);
    const envStates = started(live).envStates();
    ledger.adoptEnvStates(envStates);
    return withEnvStates(ledger.rowStates(0, numRows), envStates);
  };
  return {
    numEnvRunners: 0,
    place: 'in process',
    get isCollecting() {
      return live.isCollecting;
    },
    start,
    ...collecting,
    get collectNow() {
      const { runner } = live;
      return central === null && runner?.sampler.paced === null ? collecting.collectNow : null;
    },
    async play(request, signal) {
      try {
        return await started(live).player.play(request, () => signal?.aborted === true, true);
      } catch (error) {
        throw placeEnvError(error, request.source ?? source, 0);
      }
    },
    getStates,
    async setEnvOptions(next) {
      if (ledger.nextOptions === null) return void (await start(withNextOptions(await getStates(), next)));
      ledger.setNextOptions(next);
      started(live).setEnvOptions(next);
    },
    takeEnvFaults: faults.take,
    noteEnvFaults: (report) => faults.absorb([report]),
    takeFailures: () => [],
    takeRestarted: () => restarted.splice(0),
    async stop() {
      live.runner?.close();
      live.runner = undefined;
    },
  };
}

interface LiveRunner {
  runner: Runner | undefined;
  isCollecting: boolean;
}

function started({ runner }: LiveRunner): Runner {
  if (runner === undefined) throw new TypeError('Call start() before collect().');
  return runner;
}

function createCollecting(
  { arena, sampling, source, central, poison, numRows }: InProcessRunnerGroupOptions,
  live: LiveRunner,
  ledger: EpisodeLedger,
  faults: EnvFaultBook,
): Pick<RunnerGroup, 'collect' | 'parts' | 'sets' | 'collectPart'> & {
  readonly collectNow: (version: number) => Collected;
} {
  const sets = sampling.setAddresses.map((address) => openRollout(arena.buffer, address, sampling.rollout));
  let numCollected = 0;
  const begin = (set = numCollected++ % sets.length): number => {
    live.isCollecting = true;
    if (poison) poisonRollout(sets[set]);
    return set;
  };
  const finish = (rollout: RolloutViews): Collected => {
    const { sampler, takeEnvFaults } = started(live);
    const report = takeEnvFaults();
    if (report !== null) faults.absorb([report]);
    const episodes = ledger.absorb(rollout);
    faults.noteEndless(source.id, ledger.takeEndless());
    live.isCollecting = false;
    const metricSums = sampler.takeMetrics();
    return { rollout, episodes, metrics: metricSums === null ? NO_METRICS : meansOf(metricSums), metricSums };
  };
  const collectInto = (set: number, version: number): Collected => {
    const { sampler } = started(live);
    try {
      sampler.collect(set, version);
    } catch (error) {
      throw placeEnvError(error, source, 0);
    }
    return finish(sets[set]);
  };
  const collectLater = async (set: number, version: number): Promise<Collected> => {
    const { paced } = started(live).sampler;
    if (paced === null) return collectInto(set, version);
    try {
      await paced.collect(set, version);
    } catch (error) {
      throw placeEnvError(error, source, 0);
    }
    return finish(sets[set]);
  };
  return {
    parts: [{ firstRow: 0, numRows }],
    sets,
    collectPart: async (_, set, version) => (await collectLater(begin(set), version)).metricSums,
    collectNow: (version) => collectInto(begin(), version),
    async collect(version) {
      const set = begin();
      if (central === null) return collectLater(set, version);
      try {
        await collectCentrally(central, directStepper(started(live), set, version), sets[set]);
      } catch (error) {
        throw placeEnvError(error, source, 0);
      }
      return finish(sets[set]);
    },
  };
}

function directStepper({ sampler }: Runner, set: number, version: number): Stepper {
  return {
    isSplit: false,
    begin: async () => sampler.begin(set),
    step: async (t) => (sampler.paced ?? sampler).step(set, t),
    finish: async () => sampler.finish(set, version),
  };
}
