/** `checkEnv` for environments of several agents: plays one with random actions and says which promises it breaks, and how to mend each. */
import { EnvError, isOperantError } from '../../errors.ts';
import { openStream, type Stream } from '../../random/streams.ts';
import type { Check } from '../check-behaviour.ts';
import { watchingRandomCalls } from '../check-random.ts';
import { type CheckReport, errorsFirst } from '../check-report.ts';
import { type CheckFinding, messageOf } from '../check-trace.ts';
import { flattenActionSpace } from '../flatten-action.ts';
import { copyState } from '../saved-state.ts';
import { describeSpace } from '../space-json.ts';
import { type AgentsEnvs, createAgentsEnvs } from './agents-envs.ts';
import { AgentEnd } from './agents-kernel.ts';
import { isMultiAgentEnv, type MultiAgentEnv } from './multi-agent-env.ts';
import { createSeatLayout, type SeatLayout } from './seat-layout.ts';
import { userAgentsKernel } from './user-agents-kernel.ts';

/** What a play of some steps looked like: one line a reset or step. */
interface AgentsTrace {
  readonly lines: readonly string[];
  /** Sum over agents, by episode that ended. */
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  readonly largestReward: number;
  readonly error: EnvError | null;
}

type AgentsCheck = Pick<Check, 'isFactory' | 'seed' | 'numSteps' | 'report'> & {
  readonly create: () => MultiAgentEnv;
};

/**
 * The report on an environment of several agents; null = it is none.
 *
 * @param findings what `check.report` has noted. Cost: about four times `numSteps` steps.
 */
export function checkSeveralAgents(
  check: Check,
  findings: ReadonlyMap<string, CheckFinding>,
): CheckReport | null {
  const env = attempt(check.create);
  if (!isMultiAgentEnv(env)) return null;
  const create = check.create as unknown as () => MultiAgentEnv;
  let trace: AgentsTrace = { lines: [], returns: [], lengths: [], largestReward: 0, error: null };
  watchingRandomCalls(
    check.report,
    (watch) => {
      trace = checkAll({ ...check, create: () => watch.creating(create) });
    },
    () => findings.has('ENV_NOT_DETERMINISTIC') || findings.has('ENV_SHARED'),
  );
  const described = (key: 'observationSpace' | 'actionSpace') =>
    Object.entries(env.agents).map(([name, spaces]) => `${name} ${describeSpace(spaces[key])}`);
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return {
    ok: [...findings.values()].every(({ severity }) => severity !== 'error'),
    findings: errorsFirst([...findings.values()]),
    observationSpace: described('observationSpace').join(', '),
    actionSpace: described('actionSpace').join(', '),
    numSteps: Math.max(0, trace.lines.length - 1),
    numEpisodes: trace.lengths.length,
    meanReturn: mean(trace.returns),
    meanLength: mean(trace.lengths),
  };
}

/** A factory that throws is reported where environments of one agent are checked. */
function attempt(create: () => unknown): unknown {
  try {
    return create();
  } catch {
    return null;
  }
}

function checkAll(check: AgentsCheck): AgentsTrace {
  const trace = play(open(check), check.seed, check.numSteps);
  if (trace.error !== null) {
    check.report('error', trace.error.code, trace.error.message, 'See the contract of `MultiAgentEnv`.');
    return trace;
  }
  checkSame(check, trace);
  if (check.isFactory) checkShared(check, trace);
  checkState(check);
  judge(check, trace);
  return trace;
}

function open({ create }: AgentsCheck): AgentsEnvs {
  return createAgentsEnvs(userAgentsKernel(create, 1, 'this module'));
}

/** Equal seeds and actions give equal episodes, also after another one was played. */
function checkSame(check: AgentsCheck, first: AgentsTrace): void {
  const { seed, report } = check;
  const length = Math.min(200, check.numSteps);
  const envs = open(check);
  play(envs, seed + 1, 7);
  const t = firstDifference(first, play(envs, seed, length));
  if (t < 0) return;
  report(
    'error',
    'ENV_NOT_DETERMINISTIC',
    `Two plays from seed ${seed} with the same actions differ at step ${t}.`,
    'Draw everything that is random from a generator that reset creates from its `seed`, and let reset put back everything that step changes.',
  );
}

/** Two environments of one factory do not disturb each other. */
function checkShared(check: AgentsCheck, first: AgentsTrace): void {
  const { seed, report } = check;
  const [one, neighbour] = [open(check), open(check)];
  const beside = play(one, seed, Math.min(100, check.numSteps), () => void play(neighbour, seed + 2, 1));
  const t = firstDifference(first, beside);
  if (t < 0) return;
  report(
    'error',
    'ENV_SHARED',
    `Episodes from seed ${seed} differ at step ${t} when a second environment is stepped beside them.`,
    'Keep the state inside the factory, not in variables of the module: many environments run in one thread.',
  );
}

/** An episode goes on from `getState` through JSON as it would have. */
function checkState(check: AgentsCheck): void {
  const { seed, report } = check;
  const original = open(check);
  if (original.setState === null) return;
  play(original, seed, 3);
  const fix =
    'getState must give everything that step reads, as plain JSON, and setState must put all of it back.';
  try {
    const state = copyState(original.getState(0));
    const restored = open(check);
    restored.reset(0, seed + 1);
    restored.setState?.(0, state);
    const t = firstDifference(goOn(original, seed), goOn(restored, seed));
    if (t >= 0)
      report('error', 'ENV_STATE', `After setState an episode goes on differently from step ${t + 1}.`, fix);
  } catch (error) {
    report('error', 'ENV_STATE', `getState and setState threw: ${messageOf(error)}.`, fix);
  }
}

function judge({ report, numSteps }: AgentsCheck, { returns, largestReward }: AgentsTrace): void {
  if (returns.length === 0) {
    report(
      'warning',
      'ENV_NEVER_ENDS',
      `No episode ended within ${numSteps} random steps.`,
      'Set `maxEpisodeSteps` on the environment, so that training sees ends and new starts.',
    );
  }
  if (largestReward === 0) {
    report(
      'warning',
      'ENV_REWARD_ALWAYS_ZERO',
      'No random step gave anybody any reward.',
      'A learner explores at random in the beginning and will see nothing: reward a first step towards the goal.',
    );
  }
}

function firstDifference(first: AgentsTrace, other: AgentsTrace): number {
  return other.lines.findIndex((line, t) => line !== first.lines[t]);
}

/** Resets, and plays on until so many steps are done, over as many episodes as that takes. */
function play(envs: AgentsEnvs, seed: number, numSteps: number, between?: () => void): AgentsTrace {
  return playOn(envs, seed, numSteps, true, between);
}

function goOn(envs: AgentsEnvs, seed: number): AgentsTrace {
  return playOn(envs, seed, 50, false);
}

function playOn(
  envs: AgentsEnvs,
  seed: number,
  numSteps: number,
  isReset: boolean,
  between?: () => void,
): AgentsTrace {
  const layout = createSeatLayout(envs.seats);
  const stream = openStream(seed, 'check');
  const actions = new Float32Array(layout.actionStride);
  const trace = { lines: [] as string[], returns: [] as number[], lengths: [] as number[], largestReward: 0 };
  let [episode, total, length] = [0, 0, 0];
  try {
    if (isReset) envs.reset(0, seed);
    let line = describe(envs, layout);
    if (isReset) trace.lines.push(line); // what the step before gave is in no saved state
    for (let step = 0; step < numSteps; step++) {
      between?.();
      drawActions(envs, layout, stream, actions);
      envs.step(0, actions, 0);
      const { rewards, episodeEnd } = envs.results;
      total += rewards.reduce((sum, reward) => sum + reward, 0);
      length += 1;
      trace.largestReward = Math.max(trace.largestReward, ...rewards.map(Math.abs));
      line = describe(envs, layout);
      if (episodeEnd !== AgentEnd.NONE) {
        episode += 1;
        trace.returns.push(total);
        trace.lengths.push(length);
        [total, length] = [0, 0];
        envs.reset(0, seed + episode);
        line += describe(envs, layout);
      }
      remember(envs);
      trace.lines.push(line);
    }
    return { ...trace, error: null };
  } catch (error) {
    if (!isOperantError(error)) throw error;
    return {
      ...trace,
      error: error instanceof EnvError ? error : new EnvError('ENV_CHECK', messageOf(error)),
    };
  }
}

/** Who acts next, by environment: another environment's step overwrites `results`. */
const acting = new WeakMap<AgentsEnvs, Uint8Array>();

function remember(envs: AgentsEnvs): void {
  acting.set(envs, envs.results.acting.slice());
}

/** Everything that a step gave, the central state, what everybody sees who acts next, and the last observations of those who were cut. */
function describe(envs: AgentsEnvs, layout: SeatLayout): string {
  const { results, seats } = envs;
  remember(envs);
  const seen = seats.map((_, s) => {
    const { observationSize, maskSize, observationDtype } = layout.groups[layout.groupOf[s]];
    const isCut = (results.ended[s] || results.episodeEnd) === AgentEnd.TRUNCATED;
    if (results.acting[s] === 0 && !isCut) return '';
    const row =
      observationDtype === 'uint8' ? new Uint8Array(observationSize) : new Float32Array(observationSize);
    if (isCut) envs.writeFinalObservation(0, s, row, 0);
    if (results.acting[s] === 0) return row.join();
    envs.writeObservation(0, s, row, 0);
    const mask = new Uint8Array(maskSize);
    if (maskSize > 0) envs.writeMask(0, s, mask, 0);
    return `${row.join()}|${mask.join()}`;
  });
  const state = new Float32Array(envs.stateSize);
  envs.writeState(0, state, 0);
  return JSON.stringify([seen, state.join(), [...results.rewards], [...results.ended], results.episodeEnd]);
}

function drawActions(envs: AgentsEnvs, layout: SeatLayout, stream: Stream, actions: Float32Array): void {
  for (const [s, isActing] of (acting.get(envs) ?? envs.results.acting).entries()) {
    if (isActing === 0) continue;
    const { maskSize } = layout.groups[layout.groupOf[s]];
    const mask = new Uint8Array(maskSize).fill(1);
    if (maskSize > 0) envs.writeMask(0, s, mask, 0);
    drawAction(envs.seats[s].actionSpace, mask, stream, actions, layout.actionOffsets[s]);
  }
}

function drawAction(
  space: Parameters<typeof flattenActionSpace>[0],
  mask: Uint8Array,
  stream: Stream,
  actions: Float32Array,
  offset: number,
): void {
  const flat = flattenActionSpace(space);
  let element = offset;
  let first = 0;
  for (const part of flat.kind === 'product' ? flat.parts : [flat]) {
    if (part.kind === 'categorical') {
      for (const size of part.sizes) {
        const isFree = (action: number) => mask.length === 0 || mask[first + action] === 1;
        const allowed = Array.from({ length: size }, (_, action) => action).filter(isFree);
        actions[element++] = allowed[stream.integer(allowed.length)];
        first += size;
      }
    } else if (part.kind === 'bernoulli') {
      for (let k = 0; k < part.size; k++) actions[element++] = stream.integer(2);
    } else {
      for (let k = 0; k < part.size; k++) {
        const low = Math.max(part.low[k], -1e3);
        const high = Math.min(part.high[k], 1e3);
        actions[element++] = low + stream.uniform() * (high - low);
      }
    }
  }
}
