/** What the off-policy system and loop read of a config. */
import type { commonOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';

/** The sections and options that an off-policy algorithm's config has. */
export type OffPolicyConfig = ResolvedConfig<typeof commonOptions> & {
  readonly training: {
    /** Steps of each environment between two rounds of updates. */
    readonly trainEvery: number;
    readonly batchSize: number;
    /** Absent = 1. */
    readonly nStep?: number;
    /** 0 or 1. */
    readonly lag: number;
    /** What the replay buffer begins with, see prefill.ts. */
    readonly prefill: string | null;
    readonly prefillSteps: number | null;
    /** Whether checkpoints hold the buffer. Absent = true. */
    readonly checkpointReplay?: boolean;
  };
};
