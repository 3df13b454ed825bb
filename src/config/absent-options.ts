/** Options of other libraries that are left out on purpose: whoever asks for one hears why. */
import { plain } from './nearest.ts';

const ABSENT: Readonly<Record<string, string>> = {
  numLearners:
    'There is one learner, since several do not pay: exchanging a gradient through Ray takes 10 to 25 times as long as a whole minibatch takes one of them (256 rows, 2 x 64 to 2 x 1024 units). ' +
    'Threads of the learner are `numLearnerThreads`, more rollout hosts `numRolloutHosts`; docs/adr/0007 has the figures.',
};

/** Why there is no such option; undefined = nobody has thought of it. */
export function whyAbsent(name: string): string | undefined {
  return Object.entries(ABSENT).find(([absent]) => plain(absent) === plain(name))?.[1];
}
