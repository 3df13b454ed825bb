/** Ant: a ball on four legs. */
import { ball, body, hinge, model, motor, rod } from './xml.ts';

/** Number, directions in which the leg points, axis and range of the ankle. */
const LEGS = [
  [1, 1, 1, '-1 1 0', '30 70'],
  [2, -1, 1, '1 1 0', '-70 -30'],
  [3, -1, -1, '-1 1 0', '-70 -30'],
  [4, 1, -1, '1 1 0', '30 70'],
] as const;

function leg([number, x, y, axis, range]: (typeof LEGS)[number]): string {
  const out = `${0.2 * x} ${0.2 * y} 0`;
  return body(
    `leg_${number}`,
    '0 0 0',
    rod(`0 0 0 ${out}`, 0.08) +
      body(
        `hip_${number}`,
        out,
        hinge(`hip_${number}`, '0 0 1', 'range="-30 30"') +
          rod(`0 0 0 ${out}`, 0.08) +
          body(
            `ankle_${number}`,
            out,
            hinge(`ankle_${number}`, axis, `range="${range}"`) + rod(`0 0 0 ${0.4 * x} ${0.4 * y} 0`, 0.08),
          ),
      ),
  );
}

export const ANT = model(
  'ant',
  `<compiler angle="degree" inertiafromgeom="true"/><option integrator="RK4" timestep="0.01"/>
   <default><joint armature="1" damping="1" limited="true"/>
   <geom conaffinity="0" condim="3" density="5" friction="1 0.5 0.5" margin="0.01" rgba="0.8 0.6 0.4 1"/></default>`,
  '<geom type="plane" size="40 40 40" conaffinity="1" rgba="0.8 0.9 0.8 1"/>' +
    body(
      'torso',
      '0 0 0.75',
      ball(0.25) +
        '<joint type="free" armature="0" damping="0" limited="false" margin="0.01"/>' +
        LEGS.map(leg).join(''),
    ),
  [4, 1, 2, 3].map((number) => motor(`hip_${number}`, 150) + motor(`ankle_${number}`, 150)).join(''),
);
