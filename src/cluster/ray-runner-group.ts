/** Environment runners on a Ray cluster: hosts with worker threads, each of which collects its rows exactly as a local run would. */
import { openRollout, type RolloutViews } from '../experience/layout.ts';
import { allOrFirstError } from '../rollout/all-or-first-error.ts';
import { createEnvFaultBook, type EnvFaultBook } from '../rollout/env-fault-log.ts';
import { createEpisodeLedger, type EpisodeLedger } from '../rollout/episode-ledger.ts';
import { type MetricSums, meansOf, mergeSums } from '../rollout/metric-sums.ts';
import type { PlayedEpisodes, PlayRequest } from '../rollout/play-episodes.ts';
import { joinPlayed, splitRequest } from '../rollout/play-shares.ts';
import { poisonRows } from '../rollout/poison.ts';
import { type RowState, withEnvStates, withNextOptions } from '../rollout/row-states.ts';
import type { RunnerGroup } from '../rollout/runner-group.ts';
import { openWeightBuffer } from '../weights/weight-buffer.ts';
import { unpackRows } from './fragment.ts';
import { createHostTeam, type HostTeam } from './host-team.ts';
import type { HostTeamOptions } from './host-team-options.ts';

export type RayRunnerGroupOptions = Omit<HostTeamOptions, 'rowStates' | 'onRestarted'> & {
  readonly maxEnvRestarts: number;
  /** Plays where hosts do not: another environment than theirs. */
  readonly playHere: (request: PlayRequest, signal?: AbortSignal) => Promise<PlayedEpisodes>;
};

/** What collecting, playing and saving share. */
interface GroupParts {
  readonly options: RayRunnerGroupOptions;
  readonly team: HostTeam;
  readonly sets: readonly RolloutViews[];
  readonly ledger: EpisodeLedger;
  readonly faults: EnvFaultBook;
  readonly state: {
    numCollected: number;
    isCollecting: boolean;
    /** Parts that were asked for and are not there; one that failed counts until the next start. */
    numPending: number;
  };
}

/** Not started yet. @throws ConfigError for an address that is none. */
export function createRayRunnerGroup(options: RayRunnerGroupOptions): RunnerGroup {
  const { arena, sampling, numEnvs, spec } = options;
  const ledger = createEpisodeLedger(spec, numEnvs, options.envOptions);
  const faults = createEnvFaultBook(options);
  const sets = sampling.setAddresses.map((address) => openRollout(arena.buffer, address, sampling.rollout));
  const restarted: number[] = [];
  const onRestarted = (rows: readonly number[]) => {
    ledger.restartRows(rows);
    restarted.push(...rows);
  };
  const team = createHostTeam({ ...options, rowStates: ledger.rowStates, onRestarted });
  const state = { numCollected: 0, isCollecting: false, numPending: 0 };
  const parts: GroupParts = { options, team, sets, ledger, faults, state };
  const start: RunnerGroup['start'] = async (states) => {
    if (states !== null) ledger.setRowStates(states);
    const rows = await team.start(states);
    state.isCollecting = false;
    state.numPending = 0;
    return rows;
  };
  const getStates = async (): Promise<RowState[]> =>
    state.isCollecting || state.numPending > 0 ? ledger.rowStates(0, numEnvs) : askStates(parts);
  return {
    get numEnvRunners() {
      return team.parts.length;
    },
    get place() {
      return `on ${team.parts.length} rollout host${team.parts.length === 1 ? '' : 's'} of ${team.place}`;
    },
    parts: team.parts,
    sets,
    get isCollecting() {
      return state.isCollecting || state.numPending > 0;
    },
    start,
    ...createCollecting(parts),
    play: createPlay(parts),
    getStates,
    async setEnvOptions(next) {
      if (ledger.nextOptions === null) return void (await start(withNextOptions(await getStates(), next)));
      ledger.setNextOptions(next); // first: a host that is lost meanwhile begins with them
      await allOrFirstError(
        team.parts.map((_, part) =>
          team.run(part, { kind: 'options', options: next }, null, () => undefined),
        ),
      );
    },
    takeEnvFaults: faults.take,
    noteEnvFaults: (report) => faults.absorb([report]),
    takeFailures: team.takeFailures,
    takeMetrics: team.takeMetrics,
    describeHosts: team.describe,
    takeRestarted: () => restarted.splice(0),
    stop: team.stop,
  };
}

/** Of all rows, with what their environments give of themselves. */
async function askStates({ options, team, ledger }: GroupParts): Promise<RowState[]> {
  const answers = team.parts.map((_, part) =>
    team.run(part, { kind: 'states' }, null, ({ message }) =>
      message.kind === 'states' ? message.states : [],
    ),
  );
  const envStates = (await allOrFirstError(answers)).flat();
  ledger.adoptEnvStates(envStates);
  return withEnvStates(ledger.rowStates(0, options.numEnvs), envStates);
}

function createCollecting(
  parts: GroupParts,
): Required<Pick<RunnerGroup, 'collect' | 'collectNow' | 'collectPart' | 'regroup'>> {
  const { options, team, sets, ledger, faults, state } = parts;
  const { arena, sampling, source, poison } = options;
  /** Has a host fill its rows of a block set. */
  const fill = (part: number, set: number, version: number, isBooked: boolean) => {
    const { firstRow: first, numRows: count } = team.parts[part];
    if (poison) poisonRows(sets[set], first, count);
    return team.run(part, { kind: 'collect' }, version, ({ message, body }) => {
      if (message.kind !== 'collected') throw new TypeError(`Expected a fragment, got ${message.kind}.`);
      const place = { first, count, version };
      unpackRows(body, arena.buffer, sampling.setAddresses[set], sampling.rollout, place);
      if (isBooked) ledger.absorbRows(sets[set], first, count);
      return message;
    });
  };
  return {
    collectNow: null,
    async collect(version) {
      state.isCollecting = true;
      await team.regroup(() => askStates(parts));
      const set = state.numCollected++ % sets.length;
      const reports = await allOrFirstError(team.parts.map((_, part) => fill(part, set, version, false)));
      const told = reports.filter(({ sums }) => sums !== null);
      const sums: MetricSums = {};
      for (const report of told) mergeSums(sums, report.sums ?? {});
      faults.absorb(reports.map((report) => report.faults));
      const rollout = sets[set];
      const episodes = ledger.absorb(rollout);
      faults.noteEndless(source.id, ledger.takeEndless());
      state.isCollecting = false;
      return { rollout, episodes, metrics: meansOf(sums), metricSums: told.length === 0 ? null : sums };
    },
    async regroup() {
      state.numPending += 1;
      await team.regroup(() => askStates(parts));
      state.numPending -= 1;
    },
    async collectPart(part, set, version) {
      state.numPending += 1;
      const report = await fill(part, set, version, true);
      faults.absorb([report.faults]);
      state.numPending -= 1;
      return report.sums;
    },
  };
}

function createPlay({ options, team, faults }: GroupParts): RunnerGroup['play'] {
  const weights = openWeightBuffer(options.arena.buffer, options.weights);
  return async (request, signal) => {
    if ((request.source ?? null) !== null) return options.playHere(request, signal);
    const shares = splitRequest(request, team.parts.length);
    const cut = () => team.notify({ kind: 'cut' });
    signal?.addEventListener('abort', cut);
    try {
      const answers = shares.map((share, part) =>
        team.run(part, { kind: 'play', request: share }, weights.version, ({ message }) => {
          if (message.kind !== 'played') throw new TypeError(`Expected episodes, got ${message.kind}.`);
          return message;
        }),
      );
      if (signal?.aborted === true) cut();
      const played = await allOrFirstError(answers);
      faults.absorb(played.map((answer) => answer.faults));
      return joinPlayed(
        request,
        played.map((answer) => answer.played),
      );
    } finally {
      signal?.removeEventListener('abort', cut);
    }
  };
}
