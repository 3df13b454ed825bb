/** Environment runners in threads of this process, over the shared arena. */

import { openRollout, type RolloutViews } from '../experience/layout.ts';
import { type CentralActor, collectCentrally, halvesOf, type Stepper } from './central-inference.ts';
import { Command } from './control-words.ts';
import { createEnvFaultBook, type EnvFaultBook } from './env-fault-log.ts';
import { createEpisodeLedger, type EpisodeLedger } from './episode-ledger.ts';
import type { WorkerMessage, WorkerPlan } from './messages.ts';
import { type MetricSums, meansOf, mergeSums } from './metric-sums.ts';
import { createPartCollecting, type PartCollecting } from './part-collecting.ts';
import type { PlayedEpisodes, PlayRequest } from './play-episodes.ts';
import { joinPlayed, splitRequest } from './play-shares.ts';
import { poisonRollout, poisonRows } from './poison.ts';
import type { RowRange } from './rollout-worker.ts';
import { type RowState, withEnvStates, withNextOptions } from './row-states.ts';
import type { RunnerGroup } from './runner-group.ts';
import { type CatchUp, createWorkerTeam, type WorkerTeam, type WorkerTeamOptions } from './worker-team.ts';

export type LocalRunnerGroupOptions = Omit<WorkerTeamOptions, 'plan' | 'rowStates' | 'onRestarted'> & {
  readonly plan: WorkerPlan;
  /** null = workers act with the kernels. */
  readonly central: CentralActor | null;
  /** Fill a block set with values that look wrong before it is written. */
  readonly poison: boolean;
  readonly maxEnvRestarts: number;
};

export type LocalRunnerGroup = RunnerGroup & { readonly team: WorkerTeam };

export function createLocalRunnerGroup(options: LocalRunnerGroupOptions): LocalRunnerGroup {
  const { plan, numEnvs, central } = options;
  const { sampling } = plan;
  const ledger = createEpisodeLedger(plan.spec, numEnvs, plan.envOptions);
  const faults = createEnvFaultBook(options);
  const restarted: number[] = [];
  const onRestarted = (rows: readonly number[]) => {
    ledger.restartRows(rows);
    restarted.push(...rows);
  };
  const team = createWorkerTeam({ ...options, rowStates: ledger.rowStates, onRestarted });
  const sets = sampling.setAddresses.map((address) =>
    openRollout(plan.memory.buffer, address, sampling.rollout),
  );
  let numCollected = 0;
  let isCollecting = false;
  const ahead = collectAhead(options, team, sets, ledger, faults);
  const start = async (states: readonly RowState[] | null): Promise<readonly number[]> => {
    if (states !== null) ledger.setRowStates(states);
    const rows = await team.start(states);
    isCollecting = false;
    ahead.reset();
    onRestarted(rows);
    central?.start(states, rows);
    return rows;
  };
  const getStates = async (): Promise<RowState[]> =>
    isCollecting || ahead.numPending > 0 ? ledger.rowStates(0, numEnvs) : askStates(team, ledger, numEnvs);
  return {
    team,
    parts: team.ranges,
    sets,
    collectPart: ahead.collectPart,
    get isCollecting() {
      return isCollecting || ahead.numPending > 0;
    },
    ...inThreads(team.numWorkers),
    start,
    async collect(version) {
      isCollecting = true;
      const set = numCollected++ % sets.length;
      const rollout = sets[set];
      if (options.poison) poisonRollout(rollout);
      const messages = central === null ? await team.run(Command.COLLECT, set, version) : [];
      if (central !== null)
        await collectCentrally(central, threadStepper(team, set, version, messages), rollout);
      const metricSums = takeReports(messages, faults);
      const episodes = ledger.absorb(rollout);
      faults.noteEndless(plan.source.id, ledger.takeEndless());
      isCollecting = false;
      return { rollout, episodes, metrics: meansOf(metricSums ?? {}), metricSums };
    },
    collectNow: null,
    play: (request, signal) => playEverywhere(team, request, signal),
    getStates,
    async setEnvOptions(options) {
      if (ledger.nextOptions === null) return void (await start(withNextOptions(await getStates(), options)));
      ledger.setNextOptions(options); // first: whoever replaces a lost worker begins with them
      await team.setEnvOptions(options);
    },
    takeEnvFaults: faults.take,
    noteEnvFaults: (report) => faults.absorb([report]),
    takeFailures: () => team.takeFailures(),
    takeRestarted: () => restarted.splice(0),
    stop: () => team.stop(),
  };
}

function collectAhead(
  { poison }: LocalRunnerGroupOptions,
  team: WorkerTeam,
  sets: readonly RolloutViews[],
  ledger: EpisodeLedger,
  faults: EnvFaultBook,
): PartCollecting<MetricSums | null> {
  return createPartCollecting<MetricSums | null>(team, {
    prepare({ firstRow, numRows }, set) {
      if (poison) poisonRows(sets[set], firstRow, numRows);
    },
    book({ firstRow, numRows }, set, report) {
      faults.absorb([report?.faults ?? null]);
      ledger.absorbRows(sets[set], firstRow, numRows);
      return report?.sums ?? null;
    },
  });
}

/** Between two rollouts: what the ledger knows, with what the environments give. */
async function askStates(team: WorkerTeam, ledger: EpisodeLedger, numEnvs: number): Promise<RowState[]> {
  const messages = await team.run(Command.GET_STATE);
  const envStates = messages.flatMap((message) => (message.kind === 'states' ? message.states : []));
  ledger.adoptEnvStates(envStates);
  return withEnvStates(ledger.rowStates(0, numEnvs), envStates);
}

/** Metrics and faults of a rollout; null = there were no metrics. */
function takeReports(messages: readonly WorkerMessage[], faults: EnvFaultBook): MetricSums | null {
  const reports = messages.filter((message) => message.kind === 'collected');
  const sums: MetricSums = {};
  for (const report of reports) mergeSums(sums, report.sums);
  faults.absorb(reports.map((report) => report.faults));
  return reports.length === 0 ? null : sums;
}

function inThreads(numEnvRunners: number): Pick<RunnerGroup, 'numEnvRunners' | 'place'> {
  return { numEnvRunners, place: `in ${numEnvRunners} worker thread${numEnvRunners === 1 ? '' : 's'}` };
}

async function playEverywhere(
  team: WorkerTeam,
  request: PlayRequest,
  signal?: AbortSignal,
): Promise<PlayedEpisodes> {
  const messages = await team.play(splitRequest(request, team.numWorkers), signal);
  return joinPlayed(
    request,
    messages.flatMap((message) => (message.kind === 'played' ? [message.played] : [])),
  );
}

/** Steps workers by halves; one that is lost repeats the rollout's steps so far with the actions that lie there. */
function threadStepper(team: WorkerTeam, set: number, version: number, messages: WorkerMessage[]): Stepper {
  const catchUpTo =
    (t: number): CatchUp =>
    async (run) => {
      await run(Command.BEGIN, set);
      for (let k = 0; k < t; k++) await run(Command.STEP, set, k);
    };
  const numRows = team.ranges.reduce((sum, range) => sum + range.numRows, 0);
  const [, { first: middle }] = halvesOf(Math.max(2, numRows));
  const isLower = ({ firstRow, numRows: count }: RowRange) => firstRow + count <= middle;
  return {
    isSplit: team.ranges.every((range) => isLower(range) || range.firstRow >= middle),
    begin: async () => void (await team.run(Command.BEGIN, set)),
    async step(t, half) {
      const isMeant = (range: RowRange) => half === null || isLower(range) === (half === 0);
      await team.run(Command.STEP, set, t, catchUpTo(t), isMeant);
    },
    async finish(numSteps) {
      messages.push(...(await team.run(Command.FINISH, set, version, catchUpTo(numSteps))));
    },
  };
}
