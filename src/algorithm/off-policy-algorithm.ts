/** An off-policy algorithm: the shell around a system that collects fragments, keeps them and learns from batches of what is kept. */
import type { StatePart } from '../checkpoint/state-part.ts';
import type { JsonValue } from '../json.ts';
import type { Algorithm } from './algorithm.ts';
import type { Fragments } from './fragments.ts';
import { createObjectiveAlgorithm } from './objective-algorithm.ts';
import type { OffPolicyConfig } from './off-policy-config.ts';
import type { OffPolicySystem } from './off-policy-system.ts';
import { prefillReplay } from './prefill.ts';
import type { Iteration } from './shell.ts';

export interface OffPolicyAlgorithmParts {
  readonly name: string;
  readonly config: OffPolicyConfig;
  readonly system: OffPolicySystem;
  /** Those that `iterate` takes. */
  readonly fragments: Fragments;
  /** Collect, keep, learn, over and over: one iteration; `numEnvSteps` = environment steps of the run before it. */
  readonly iterate: (numEnvSteps: number) => Promise<Iteration>;
  /** The replay buffer's part of a checkpoint. */
  readonly replayState: StatePart;
  /** The algorithm's own: streams, priorities, schedules. */
  readonly state: readonly StatePart[];
  readonly setSchedule?: (name: string, schedule: JsonValue) => void;
}

const LEFT_OUT = '; checkpoints leave it out, so a resume begins with an empty one and is another run';

export function createOffPolicyAlgorithm(parts: OffPolicyAlgorithmParts): Algorithm {
  const { name, config, system, fragments, setSchedule } = parts;
  const { numEnvs } = config.envRunners;
  const { checkpointReplay = true } = config.training;
  return createObjectiveAlgorithm({
    ...{ name, config, system },
    collects: `${numEnvs} environment${numEnvs === 1 ? '' : 's'} x ${config.training.trainEvery} steps`,
    remembers: `${system.replayMemory}${checkpointReplay ? '' : LEFT_OUT}`,
    async iterate(numEnvSteps) {
      try {
        if (numEnvSteps === 0 && system.replay.size === 0) await prefillReplay(system, config);
        return await parts.iterate(numEnvSteps);
      } catch (error) {
        await fragments.settle();
        throw error;
      }
    },
    // The first fragment that was given out went into the replay buffer.
    isHalfDone: () => fragments.hasDelivered,
    state: [parts.replayState, ...parts.state],
    ...(setSchedule === undefined ? {} : { setSchedule }),
    settle: fragments.settle,
  });
}
