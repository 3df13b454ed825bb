/** What observations are shifted and scaled by before they are acted on or learnt from; published with the weights. */

/** x' = clip((x - mean) * inverseStd, +-clip). */
export interface ObservationStatistics {
  readonly mean: Float32Array; // [obsSize] f32
  readonly inverseStd: Float32Array; // [obsSize] f32
}
