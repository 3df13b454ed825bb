/** What recurrence goes together with in PQN. */
import { conflict, type Problem } from '../../src/config/problems.ts';

/** The options that it reads. */
interface Config {
  readonly training: {
    readonly recurrent: 'lstm' | 'gru' | null;
    readonly sequenceLength: number;
    readonly minibatchSize: number;
    readonly network: string;
  };
  readonly envRunners: {
    readonly numEnvs: number;
    readonly rolloutLength: number;
    readonly inference: string;
  };
  readonly learners: { readonly engine: string };
}

export function checkRecurrentPQN({ training, envRunners, learners }: Config): readonly Problem[] {
  const { recurrent, sequenceLength: length, minibatchSize, network } = training;
  if (recurrent === null) return [];
  const { numEnvs, rolloutLength, inference } = envRunners;
  const samples = numEnvs * rolloutLength;
  const found: (readonly [boolean, string])[] = [
    [
      rolloutLength % length !== 0,
      `sequenceLength (${length}) must divide rolloutLength (${rolloutLength}): a rollout is cut into whole sequences. Change one of the two.`,
    ],
    [
      minibatchSize % (4 * length) !== 0,
      `minibatchSize (${minibatchSize}) must be a multiple of 4 x sequenceLength (${length}): a minibatch holds whole sequences, four side by side. Change one of the two.`,
    ],
    [
      samples % (4 * length) !== 0,
      `numEnvs x rolloutLength (${samples}) must be a multiple of 4 x sequenceLength (${length}): sequences are learnt four side by side. Change one of them.`,
    ],
    [
      network !== 'mlp',
      `recurrent (${recurrent}) stands before the layers of an MLP, but network is ${network}: set network to mlp, or leave recurrent out.`,
    ],
    [
      learners.engine === 'tensorflow',
      `recurrent (${recurrent}) learns on the simd engine in pqn, but engine is tensorflow: leave engine out.`,
    ],
    [
      inference === 'central',
      `recurrent (${recurrent}) acts in the workers, where the states are, but inference is central: leave inference out.`,
    ],
  ];
  return found.filter(([isWrong]) => isWrong).map(([, message]) => conflict(message));
}
