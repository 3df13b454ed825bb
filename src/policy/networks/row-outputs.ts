/** What a network says of one observation, in plain numbers. */

/** One record for all rows of a forward pass: valid until the next row. */
export interface RowOutputs {
  /** Distribution parameters. */
  readonly outputs: Float32Array; // [P] f32
  /** null = the policy has no value head. Where the critic is a tower of its own, it runs when this is read. */
  readonly value: number | null;
  /** The actor's last hidden layer. */
  readonly latent: Float64Array; // [H] f64
  /** f32 [A], or [H, A] row-major with gSDE; null without. */
  readonly logStd: Float32Array | null;
}

/** From one raw flat observation [obsSize] to what the network says of it. */
export type RowForward = (observation: ArrayLike<number>) => RowOutputs;

/** A layer or a tower of them over one row; what it gives is valid until its next row. */
export type RowLayer = (x: Float64Array) => Float64Array;

/** A parameter by its name in the layout; a view. */
export type FindTensor = (name: string) => Float32Array;
