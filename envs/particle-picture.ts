/** Pictures of a particle world, from above. */
import type { RgbFrame } from '../src/env/env.ts';
import { type Color, createCanvas } from '../src/env/render/canvas.ts';
import type { ParticleWorld } from './particle-world.ts';

export interface ParticleLook {
  readonly color: Color;
  /** In units of the plane. */
  readonly radius: number;
  /** In text: one letter. */
  readonly mark: string;
}

const PIXELS = 400;
/** Half of the plane's side that is shown; who leaves it stands at the border. */
const EXTENT = 1.4;
const TEXT_COLUMNS = 41;
const TEXT_ROWS = 21;

/** @param looks of the bodies, in their order; those that move are drawn over the landmarks. */
export function particlePicture(
  { numBodies, positions }: ParticleWorld,
  n: number,
  looks: readonly ParticleLook[],
  mode: 'rgb' | 'ansi' = 'rgb',
): RgbFrame | string {
  const at = (k: number, axis: 0 | 1) =>
    Math.min(1, Math.max(0, (positions[2 * (n * numBodies + k) + axis] / EXTENT + 1) / 2));
  const backToFront = Array.from({ length: numBodies }, (_, k) => numBodies - 1 - k);
  if (mode === 'ansi') {
    const rows = Array.from({ length: TEXT_ROWS }, () => Array.from({ length: TEXT_COLUMNS }, () => '.'));
    for (const k of backToFront) {
      const row = Math.round((1 - at(k, 1)) * (TEXT_ROWS - 1));
      rows[row][Math.round(at(k, 0) * (TEXT_COLUMNS - 1))] = looks[k].mark;
    }
    return rows.map((row) => row.join('')).join('\n');
  }
  const canvas = createCanvas(PIXELS, PIXELS, [248, 248, 244]);
  for (const k of backToFront) {
    const { radius, color } = looks[k];
    canvas.disc([at(k, 0) * PIXELS, (1 - at(k, 1)) * PIXELS], (radius / EXTENT / 2) * PIXELS, color);
  }
  return canvas.frame;
}
