/** What a study's driver and the process of a trial's host say to each other, inside of frames. */
import type { ErrorMessage } from '../../rollout/error-message.ts';
import type { TrainEnd } from '../train-process.ts';
import type { RunParcel } from './run-parcel.ts';

/** A training as it travels; the run folder, as far as it is there, follows the message. */
export interface TrialPlan extends RunParcel {
  /** Where the driver stands, in the folder that was shipped. */
  readonly cwd: string;
  /** As in `FolderTraining`; null stands for the path of `config` there. */
  readonly begin: readonly (string | null)[];
  readonly resume: readonly (string | null)[];
  /** Text of the file that --config names; null = none does. */
  readonly config: string | null;
  readonly silenceSeconds: number;
}

export type TrialRequest =
  | { readonly kind: 'train'; readonly plan: TrialPlan }
  /** The next answer: a checkpoint, or the end. */
  | { readonly kind: 'next' };

export type TrialReply =
  /** There is a new one: what has changed in the run folder follows the message. */
  | { readonly kind: 'checkpoint'; readonly parcel: RunParcel }
  | { readonly kind: 'ended'; readonly end: TrainEnd; readonly parcel: RunParcel }
  | { readonly kind: 'failed'; readonly error: ErrorMessage };
