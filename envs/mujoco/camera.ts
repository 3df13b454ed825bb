/** From where a picture is taken: a point that may follow a body, seen from a distance along a direction. */
export interface Camera {
  /** Body whose x and y are followed; null = the camera stands still. */
  readonly follows: number | null;
  /** m, of what is looked at; x and y are added to those of the body. */
  readonly lookAt: readonly [x: number, y: number, z: number];
  readonly distance: number;
  /** Degrees: 90 looks along +y, from below at positive elevations. */
  readonly azimuth: number;
  readonly elevation: number;
}
