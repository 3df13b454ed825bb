/** Environment runners of several agents: worker threads over the shared arena, or in process. */
import type { EnvSource } from '../../env/env-source.ts';
import type { JsonObject } from '../../json.ts';
import type { Arena, Region } from '../../memory/arena.ts';
import type { KernelModule } from '../../simd/kernels.ts';
import { Command } from '../control-words.ts';
import { createEnvFaultBook } from '../env-fault-log.ts';
import type { EpisodeSummary } from '../episode-summary.ts';
import { type MetricSums, meansOf, mergeSums } from '../metric-sums.ts';
import { createPartCollecting } from '../part-collecting.ts';
import { placeEnvError } from '../place-env-error.ts';
import type { PlayedEpisodes, PlayRequest } from '../play-episodes.ts';
import { joinPlayed, splitRequest } from '../play-shares.ts';
import { type RowState, withEnvStates, withNextOptions } from '../row-states.ts';
import type { RunnerGroup, RunnerPart } from '../runner-group.ts';
import { createWorkerTeam, type WorkerTeam, type WorkerTeamOptions } from '../worker-team.ts';
import { type GroupViews, openGroup } from './agents-layout.ts';
import { type AgentsLedger, createAgentsLedger, type EndedEpisode, inOrder } from './agents-ledger.ts';
import type { AgentsPlan } from './agents-plan.ts';
import { type AgentsRunner, createAgentsRunner } from './agents-runner.ts';

export interface CollectedAgents {
  /** By group of seats; owned by the caller until the next-but-one call of `collect`. */
  readonly groups: readonly GroupViews[];
  /** Episodes that ended in it, in the order (t, environment). */
  readonly episodes: readonly EpisodeSummary[];
  /** Means of `info.metrics` in this rollout, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** What they are the means of. */
  readonly metricSums: MetricSums;
}

/** What one part's environments brought. */
export interface CollectedPart {
  readonly sums: MetricSums | null;
  readonly ended: readonly EndedEpisode[];
}

/** A whole rollout from its parts. */
export function joinAgentsParts(
  groups: readonly GroupViews[],
  parts: readonly CollectedPart[],
): CollectedAgents {
  const metricSums: MetricSums = {};
  for (const { sums } of parts) if (sums !== null) mergeSums(metricSums, sums);
  const episodes = inOrder(parts.flatMap(({ ended }) => ended));
  return { groups, episodes, metrics: meansOf(metricSums), metricSums };
}

/** As `RunnerGroup`, with its promises: the same seed gives the same rollouts, whatever the number of runners and their deaths. */
export type AgentsRunnerGroup = Pick<
  RunnerGroup,
  | 'numEnvRunners'
  | 'start'
  | 'isCollecting'
  | 'getStates'
  | 'setEnvOptions'
  | 'takeEnvFaults'
  | 'takeFailures'
  | 'takeRestarted'
  | 'stop'
> & {
  /** Worker threads, which may help to learn; null = in process. */
  readonly team: WorkerTeam | null;
  collect(version: number): Promise<CollectedAgents>;
  /** Environments that one thread collects; all of them in process. */
  readonly parts: readonly RunnerPart[];
  /** By block set, by group of seats. */
  readonly sets: readonly (readonly GroupViews[])[];
  /** As `RunnerGroup.collectPart`. */
  collectPart(part: number, set: number, version: number): Promise<CollectedPart>;
  play(request: PlayRequest, signal?: AbortSignal): Promise<PlayedEpisodes>;
};

export interface AgentsGroupOptions {
  readonly arena: Arena;
  readonly kernels: KernelModule;
  readonly source: EnvSource;
  readonly seed: number;
  readonly agents: AgentsPlan;
  /** By policy: whether it learns. */
  readonly learns: readonly boolean[];
  readonly numEnvs: number;
  /** Of the first episodes, laid over the source's; null = options never change. */
  readonly envOptions: JsonObject | null;
  /** One region for each worker; one in all where there is none. */
  readonly scratch: readonly Region[];
  /** null = in process. */
  readonly threads: Omit<WorkerTeamOptions, 'rowStates' | 'onRestarted' | 'numEnvs' | 'scratch'> | null;
}

/** What differs between threads and none. */
interface Backend {
  readonly team: WorkerTeam | null;
  start(states: readonly RowState[] | null): Promise<readonly number[]>;
  readonly parts: readonly RunnerPart[];
  /** Parts that were asked for and are not there. */
  readonly numPending: number;
  collect(set: number, version: number): Promise<CollectedPart>;
  collectPart(part: number, set: number, version: number): Promise<CollectedPart>;
  play(request: PlayRequest, signal?: AbortSignal): Promise<PlayedEpisodes>;
  envStates(): Promise<readonly RowState['envState'][]>;
  setEnvOptions(options: JsonObject): Promise<void>;
  stop(): Promise<void>;
}

export function createAgentsRunnerGroup(options: AgentsGroupOptions): AgentsRunnerGroup {
  const { arena, agents, learns, numEnvs } = options;
  const ledger = createAgentsLedger(arena.buffer, agents, learns, options.envOptions);
  const restarted: number[] = [];
  const onRestarted = (rows: readonly number[]) => {
    ledger.restartRows(rows);
    restarted.push(...rows);
  };
  const backend =
    options.threads === null
      ? inProcess(options, ledger)
      : inThreads({ ...options, threads: options.threads }, ledger, onRestarted);
  const sets = agents.layout.envs.map((_, set) =>
    agents.layout.seats.groups.map((_group, g) => openGroup(arena.buffer, agents.layout, g, set)),
  );
  const faults = createEnvFaultBook({ maxEnvRestarts: 0, restartWindowMs: 0 });
  let numCollected = 0;
  let isCollecting = false;
  const isBusy = () => isCollecting || backend.numPending > 0;
  const start = async (states: readonly RowState[] | null): Promise<readonly number[]> => {
    if (states !== null) ledger.setRowStates(states);
    const rows = await backend.start(states);
    isCollecting = false;
    onRestarted(rows);
    return rows;
  };
  const getStates = async (): Promise<RowState[]> => {
    if (isBusy()) return ledger.rowStates(0, numEnvs);
    const envStates = await backend.envStates();
    ledger.adoptEnvStates(envStates);
    return withEnvStates(ledger.rowStates(0, numEnvs), envStates);
  };
  return {
    team: backend.team,
    numEnvRunners: backend.team?.numWorkers ?? 0,
    get isCollecting() {
      return isBusy();
    },
    parts: backend.parts,
    sets,
    collectPart: backend.collectPart,
    start,
    async collect(version) {
      isCollecting = true;
      const set = numCollected++ % sets.length;
      const part = await backend.collect(set, version);
      isCollecting = false;
      return joinAgentsParts(sets[set], [part]);
    },
    play: backend.play,
    getStates,
    async setEnvOptions(next) {
      if (ledger.nextOptions === null) return void (await start(withNextOptions(await getStates(), next)));
      ledger.setNextOptions(next); // first: whoever replaces a lost worker begins with them
      await backend.setEnvOptions(next);
    },
    takeEnvFaults: faults.take,
    takeFailures: () => backend.team?.takeFailures() ?? [],
    takeRestarted: () => restarted.splice(0),
    stop: backend.stop,
  };
}

function inProcess(options: AgentsGroupOptions, ledger: AgentsLedger): Backend {
  const { source, numEnvs, scratch } = options;
  let runner: AgentsRunner | undefined;
  const placed = async <T>(run: (live: AgentsRunner) => T | Promise<T>): Promise<T> => {
    if (runner === undefined) throw new TypeError('Call start() before collect().');
    try {
      return await run(runner);
    } catch (error) {
      throw placeEnvError(error, source, 0);
    }
  };
  let numPending = 0; // one that failed counts until the next start
  const collect = async (set: number, version: number): Promise<CollectedPart> => {
    numPending += 1;
    ledger.beforeWriting(set, 0, numEnvs);
    const sums = await placed(({ sampler }) => {
      sampler.collect(set, version);
      return sampler.takeMetrics();
    });
    numPending -= 1;
    return { sums, ended: ledger.absorbEnvs(set, 0, numEnvs) };
  };
  return {
    team: null,
    parts: [{ firstRow: 0, numRows: numEnvs }],
    get numPending() {
      return numPending;
    },
    async start(states) {
      runner?.close();
      numPending = 0;
      try {
        runner = await createAgentsRunner({
          ...options,
          firstRow: 0,
          numRows: numEnvs,
          scratch: scratch[0],
          states,
        });
      } catch (error) {
        throw placeEnvError(error, source, 0);
      }
      return runner.restarted;
    },
    collect,
    collectPart: (_part, set, version) => collect(set, version),
    play: (request, signal) =>
      placed(({ player }) => player.play(request, () => signal?.aborted === true, true)),
    envStates: () => placed((live) => live.envStates()),
    setEnvOptions: (next) => placed((live) => live.setEnvOptions(next)),
    async stop() {
      runner?.close();
      runner = undefined;
    },
  };
}

function inThreads(
  {
    numEnvs,
    scratch,
    threads,
  }: AgentsGroupOptions & { readonly threads: NonNullable<AgentsGroupOptions['threads']> },
  ledger: AgentsLedger,
  onRestarted: (rows: readonly number[]) => void,
): Backend {
  const { rowStates } = ledger;
  const team = createWorkerTeam({ ...threads, numEnvs, scratch, rowStates, onRestarted });
  const ahead = createPartCollecting<CollectedPart>(team, {
    prepare: ({ firstRow, numRows }, set) => ledger.beforeWriting(set, firstRow, numRows),
    book: ({ firstRow, numRows }, set, report) => ({
      sums: report?.sums ?? null,
      ended: ledger.absorbEnvs(set, firstRow, numRows),
    }),
  });
  return {
    team,
    parts: team.ranges,
    get numPending() {
      return ahead.numPending;
    },
    async start(states) {
      const restarted = await team.start(states);
      ahead.reset();
      return restarted;
    },
    async collect(set, version) {
      ledger.beforeWriting(set, 0, numEnvs);
      const sums: MetricSums = {};
      for (const message of await team.run(Command.COLLECT, set, version)) {
        if (message.kind === 'collected') mergeSums(sums, message.sums);
      }
      return { sums, ended: ledger.absorbEnvs(set, 0, numEnvs) };
    },
    collectPart: ahead.collectPart,
    async play(request, signal) {
      const messages = await team.play(splitRequest(request, team.numWorkers), signal);
      return joinPlayed(
        request,
        messages.flatMap((message) => (message.kind === 'played' ? [message.played] : [])),
      );
    },
    async envStates() {
      const messages = await team.run(Command.GET_STATE);
      return messages.flatMap((message) => (message.kind === 'states' ? message.states : []));
    },
    setEnvOptions: (next) => team.setEnvOptions(next),
    stop: () => team.stop(),
  };
}
