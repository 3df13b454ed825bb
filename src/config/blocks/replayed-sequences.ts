/** What recurrence goes together with where batches are sequences out of a replay buffer. */
import { conflict, type Problem } from '../problems.ts';
import { checkPace, checkUpdates } from './pace.ts';
import { checkPrefill } from './prefill.ts';
import { checkReplay } from './replay.ts';

/** The options that it reads. */
interface Config {
  readonly training: {
    readonly recurrent: 'lstm' | 'gru' | null;
    readonly sequenceLength: number;
    readonly burnIn: number;
    readonly nStep: number;
    readonly batchSize: number;
    readonly trainEvery: number;
    readonly learningStarts: number;
    readonly updatesPerStep: number | null;
    readonly gradientSteps: number | null;
    readonly replayCapacity: number;
    readonly replayBytes: number | null;
    readonly hindsight: string;
    readonly prefill: string | null;
    readonly prefillSteps: number | null;
    readonly network: string;
  };
  readonly envRunners: { readonly numEnvs: number };
}

/**
 * Of pace and buffer: what batches need, of transitions or, with a cell, of sequences.
 *
 * @param others the algorithm's own that learn from single transitions and are chosen, with their values.
 */
export function checkBatches(config: Config, others: readonly string[]): readonly Problem[] {
  if (config.training.recurrent === null) return [...checkPace(config), ...checkReplay(config)];
  return [...checkUpdates(config), ...checkPrefill(config), ...checkSequences(config, others)];
}

/** What is not there for sequences, whatever the algorithm. */
function withoutSequences({ training }: Config): readonly string[] {
  const { hindsight, prefill, replayBytes, network } = training;
  return [
    ...(network === 'mlp' ? [] : [`network (${network})`]),
    ...(hindsight === 'none' ? [] : [`hindsight (${hindsight})`]),
    ...(prefill === null ? [] : [`prefill (${prefill})`]),
    ...(replayBytes === null ? [] : [`replayBytes (${replayBytes})`]),
  ];
}

/** What batches of sequences need, and go together with. @param others as in {@link checkBatches}. */
export function checkSequences(config: Config, others: readonly string[]): readonly Problem[] {
  const { training, envRunners } = config;
  const { recurrent, sequenceLength, burnIn, nStep, batchSize, trainEvery, learningStarts } = training;
  if (recurrent === null) return [];
  const { numEnvs } = envRunners;
  const needed = burnIn + sequenceLength + nStep - 1; // steps that a sequence is made from
  const kept = Math.ceil(training.replayCapacity / numEnvs);
  const numSequences = batchSize / sequenceLength;
  const perEnv = Math.ceil(numSequences / numEnvs);
  const least = needed + perEnv * trainEvery;
  const round = trainEvery * numEnvs;
  const collected = trainEvery * (Math.floor(learningStarts / round) + 1);
  const enough = needed + (perEnv - 1) * trainEvery;
  const problems = [...withoutSequences(config), ...others].map((part) =>
    conflict(`recurrent (${recurrent}) does not go together with ${part}: leave one of the two out.`),
  );
  if (batchSize % (4 * sequenceLength) !== 0) {
    const message = `batchSize (${batchSize}) must be a multiple of 4 x sequenceLength (${sequenceLength}): a batch holds whole sequences, four side by side. Change one of the two.`;
    return [...problems, conflict(message)];
  }
  if (kept < least) {
    const message = `replayCapacity (${training.replayCapacity}) must hold ${numSequences} sequences of ${needed} steps (burnIn + sequenceLength + nStep - 1), which begin every trainEvery (${trainEvery}) steps: at least ${least * numEnvs} transitions for numEnvs ${numEnvs}. Raise replayCapacity.`;
    problems.push(conflict(message));
  }
  if (collected < enough) {
    const message = `learningStarts (${learningStarts}) must leave ${numSequences} sequences of ${needed} steps (burnIn + sequenceLength + nStep - 1) for the first update: raise it to ${Math.ceil(enough / trainEvery - 1) * round} or more.`;
    problems.push(conflict(message));
  }
  return problems;
}

/** Of the sections that only Node has. @param algorithm its name, for messages. */
export function checkSequencesEngine(
  {
    training: { recurrent },
    envRunners: { inference },
    learners: { engine },
  }: {
    readonly training: Pick<Config['training'], 'recurrent'>;
    readonly envRunners: { readonly inference: string };
    readonly learners: { readonly engine: string };
  },
  algorithm: string,
): readonly Problem[] {
  if (recurrent === null) return [];
  const found: (readonly [boolean, string])[] = [
    [
      engine === 'tensorflow',
      `recurrent (${recurrent}) learns on the simd engine in ${algorithm}, but engine is tensorflow: leave engine out.`,
    ],
    [
      inference === 'central',
      `recurrent (${recurrent}) acts in the workers, where the states are, but inference is central: leave inference out.`,
    ],
  ];
  return found.filter(([isWrong]) => isWrong).map(([, message]) => conflict(message));
}
