/** Types of tfjs under one roof; importing them loads nothing. */
// biome-ignore lint/suspicious/noTsIgnore: an error is not to be expected where the peer is there
/** @ts-ignore: an optional peer; a project without it compiles, with `any` for these (only such a comment reaches the declarations) */
import type * as tfjs from '@tensorflow/tfjs';

/** The tfjs namespace, whichever backend is behind it. It is passed as an argument: nothing imports it at the top of a file. */
export type TensorFlow = typeof tfjs;
export type Tensor = tfjs.Tensor;
export type Scalar = tfjs.Scalar;
export type Variable = tfjs.Variable;

/** What a network gives for B rows. */
export interface NetworkOutputs {
  readonly distributionParameters: Tensor; // [B, P] f32
  readonly values: Tensor; // [B] f32
  /** The actor's last hidden layer, which gsde needs; null for a custom network. */
  readonly latent: Tensor | null; // [B, H] f32
  /** Free log standard deviations, null when the distribution has none. */
  readonly logStd: Tensor | null; // [A] (gaussian) or [H, A] (gsde) f32
}
