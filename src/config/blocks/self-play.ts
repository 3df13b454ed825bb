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
};

interface SelfPlayValues {
  readonly selfPlay: Readonly<Record<string, unknown>> & {
    readonly selfPlay: string;
    readonly pastFraction: number;
    readonly anchorFraction: number;
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
  return problems;
}
