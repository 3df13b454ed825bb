/** A policy that plays against itself as it is and as it was. */
import { option } from '../option.ts';
import { conflict, type Problem } from '../problems.ts';
import * as kind from '../value-kind.ts';

export const selfPlayOptions = {
  selfPlay: option(kind.choice(['off', 'uniform', 'prioritized']), {
    default: 'off',
    shapesCheckpoint: true,
    doc: 'How past versions are drawn as opponents of the policy that learns: alike often, or the harder the more often (PFSP).',
    alsoCalled: ['self_play', 'league'],
  }),
  pastFraction: option(kind.number({ min: 0, max: 1 }), {
    default: 0.5,
    doc: 'Share of episodes against past versions; in the rest the policy plays all agents as it is.',
    alsoCalled: ['play_against_latest_model_ratio'],
  }),
  anchorFraction: option(kind.number({ min: 0, max: 1 }), {
    default: 0.1,
    doc: 'Share of episodes against policies that never change: ratings have their fixed point there.',
  }),
  opponentWindow: option(kind.nullable(kind.integer({ min: 1 })), {
    default: null,
    unit: 'snapshots',
    doc: 'Only the newest so many are opponents; null = all that are kept.',
    alsoCalled: ['window'],
  }),
  priorityExponent: option(kind.number({ min: 0 }), {
    default: 2,
    doc: 'prioritized: an opponent that is beaten in a share x of games is drawn with weight (1 - x)^priorityExponent.',
  }),
  numOpponents: option(kind.integer({ min: 1 }), {
    default: 4,
    doc: 'Past versions that episodes which begin in one rollout have to choose from: few of them keep batches large.',
  }),
  snapshotInterval: option(kind.integer({ min: 1 }), {
    default: 10,
    unit: 'iterations',
    doc: 'How often the policy is kept as a past version.',
    alsoCalled: ['save_steps'],
  }),
  maxSnapshots: option(kind.integer({ min: 1, max: 1000 }), {
    default: 32,
    unit: 'snapshots',
    doc: 'Past versions that are kept; the oldest makes room.',
  }),
  mainExploiters: option(kind.integer({ min: 0, max: 8 }), {
    default: 0,
    shapesCheckpoint: true,
    doc: 'Policies that learn to beat the policy as it is; kept as past versions where they do, and begun anew.',
  }),
  leagueExploiters: option(kind.integer({ min: 0, max: 8 }), {
    default: 0,
    shapesCheckpoint: true,
    doc: 'Policies that learn to beat all past versions; kept where they do, and begun anew one time in four.',
  }),
  exploiterFraction: option(kind.number({ min: 0, max: 1 }), {
    default: 0.25,
    doc: 'Share of episodes in which an exploiter has a seat; the other shares are of those that are left.',
  }),
  exploiterBar: option(kind.number({ min: 0.5, max: 1 }), {
    default: 0.7,
    doc: 'Share of points at which an exploiter is kept before its time: against the policy, or against every past version.',
  }),
  exploiterTimeout: option(kind.integer({ min: 1 }), {
    default: 100,
    unit: 'iterations',
    doc: 'After so many an exploiter is kept in any case; after snapshotInterval at the earliest.',
  }),
  exploiterReset: option(kind.choice(['fresh', 'learner']), {
    default: 'fresh',
    doc: "What an exploiter begins anew with: first weights drawn afresh, or the policy's as they are then.",
  }),
};

const OF_EXPLOITERS = ['exploiterFraction', 'exploiterBar', 'exploiterTimeout', 'exploiterReset'] as const;

interface SelfPlayValues {
  readonly selfPlay: Readonly<Record<string, unknown>> & {
    readonly selfPlay: string;
    readonly pastFraction: number;
    readonly anchorFraction: number;
    readonly mainExploiters: number;
    readonly leagueExploiters: number;
    readonly exploiterFraction: number;
    readonly exploiterTimeout: number;
    readonly snapshotInterval: number;
  };
}

/** What the section needs: shares that fit into one, and nothing set that would have no effect. */
export function checkSelfPlay({ selfPlay: section }: SelfPlayValues): Problem[] {
  const { selfPlay, pastFraction, anchorFraction } = section;
  const isSet = (name: string) =>
    section[name] !== selfPlayOptions[name as keyof typeof selfPlayOptions].default;
  if (selfPlay === 'off') {
    const set = Object.keys(selfPlayOptions).filter(isSet);
    return set.map((name) => conflict(`${name} needs self-play: set selfPlay, or leave ${name} out.`));
  }
  const problems: Problem[] = [];
  if (pastFraction + anchorFraction > 1)
    problems.push(
      conflict(
        `pastFraction (${pastFraction}) and anchorFraction (${anchorFraction}) are more than 1 together.`,
      ),
    );
  if (selfPlay === 'uniform' && isSet('priorityExponent'))
    problems.push(conflict("priorityExponent needs selfPlay: 'prioritized', which weighs by it."));
  return [...problems, ...checkExploiters(section, isSet)];
}

function checkExploiters(
  section: SelfPlayValues['selfPlay'],
  isSet: (name: string) => boolean,
): readonly Problem[] {
  const { mainExploiters, leagueExploiters, exploiterFraction, exploiterTimeout, snapshotInterval } = section;
  if (mainExploiters + leagueExploiters === 0)
    return OF_EXPLOITERS.filter(isSet).map((name) =>
      conflict(`${name} needs exploiters: set mainExploiters or leagueExploiters, or leave ${name} out.`),
    );
  const problems: Problem[] = [];
  if (exploiterFraction === 0)
    problems.push(conflict('exploiters need episodes of theirs, and exploiterFraction is 0: make it more.'));
  if (exploiterTimeout < snapshotInterval)
    problems.push(
      conflict(
        `exploiterTimeout (${exploiterTimeout}) is less than snapshotInterval (${snapshotInterval}), before which no exploiter is kept: make it more.`,
      ),
    );
  return problems;
}
