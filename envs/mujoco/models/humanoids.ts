/** Humanoid, standing, and the same lying on its back for HumanoidStandup. */
import { ball, body, hinge, model, motor, rod } from './xml.ts';

/** Where the two differ: the one's trunk and legs hang down, the other's lie along x. */
interface Pose {
  readonly name: string;
  readonly torso: string;
  readonly head: string;
  readonly waist: string;
  readonly lowerWaist: string;
  readonly pelvis: string;
  readonly thighHeight: number;
  /** Ends of thigh and shin, and what hangs on them; y is the side. */
  readonly thighEnd: (y: string) => string;
  readonly shin: (y: string) => string;
  readonly shinEnd: string;
  readonly foot: string;
  readonly leftHipRange: string;
}

const STANDING: Pose = {
  name: 'humanoid',
  torso: '0 0 1.4',
  head: '0 0 .19',
  waist: '-.01 -.06 -.12 -.01 .06 -.12',
  lowerWaist: '-.01 0 -.26',
  pelvis: '0 0 -.165',
  thighHeight: -0.04,
  thighEnd: (y) => `0 ${y} -.34`,
  shin: (y) => `0 ${y} -.403`,
  shinEnd: '0 0 -.3',
  foot: '0 0 -.45',
  leftHipRange: '-110 20',
};

const LYING: Pose = {
  name: 'humanoid standup',
  torso: '0 0 .105',
  head: '-.15 0 0',
  waist: '.11 -.06 0 .11 .06 0',
  lowerWaist: '.21 0 0',
  pelvis: '.165 0 0',
  thighHeight: 0,
  thighEnd: (y) => `.34 ${y} 0`,
  shin: (y) => `.403 ${y} 0`,
  shinEnd: '.3 0 0',
  foot: '.35 0 -.1',
  leftHipRange: '-120 20',
};

const TILT = 'quat="1 0 -0.002 0"';
const abdomen = (axis: string, name: string, at: string, range: string, stiffness: number) =>
  hinge(
    `abdomen_${name}`,
    axis,
    `pos="0 0 ${at}" armature="0.02" damping="5" range="${range}" stiffness="${stiffness}"`,
  );

/** @param side -1 right, 1 left. */
function leg(pose: Pose, side: -1 | 1): string {
  const name = side < 0 ? 'right' : 'left';
  const inwards = side < 0 ? '0.01' : '-0.01';
  const hip = (axis: string, which: string, armature: number, range: string, stiffness: number) =>
    hinge(
      `${name}_hip_${which}`,
      axis,
      `armature="${armature}" damping="5" range="${range}" stiffness="${stiffness}"`,
    );
  return body(
    `${name}_thigh`,
    `0 ${0.1 * side} ${pose.thighHeight}`,
    hip(`${-side} 0 0`, 'x', 0.01, '-25 5', 10) +
      hip(`0 0 ${-side}`, 'z', 0.01, '-60 35', 10) +
      hip('0 1 0', 'y', side < 0 ? 0.008 : 0.01, side < 0 ? '-110 20' : pose.leftHipRange, 20) +
      rod(`0 0 0 ${pose.thighEnd(inwards)}`, 0.06) +
      body(
        `${name}_shin`,
        pose.shin(inwards),
        // Gymnasium's left knee has a spring, its right one has none.
        hinge(
          `${name}_knee`,
          '0 -1 0',
          `pos="0 0 .02" armature="0.006" range="-160 -2" stiffness="${side < 0 ? 0 : 1}"`,
        ) +
          rod(`0 0 0 ${pose.shinEnd}`, 0.049) +
          body(`${name}_foot`, pose.foot, ball(0.075, 'pos="0 0 0.1"')),
      ),
  );
}

function arm(side: -1 | 1): string {
  const name = side < 0 ? 'right' : 'left';
  const range = side < 0 ? '-85 60' : '-60 85';
  const at = (x: number, y: number, z: number) => `${x} ${side * y} ${z}`;
  return body(
    `${name}_upper_arm`,
    at(0, 0.17, 0.06),
    hinge(`${name}_shoulder1`, `2 ${-side} 1`, `armature="0.0068" range="${range}" stiffness="1"`) +
      hinge(`${name}_shoulder2`, `0 ${side} 1`, `armature="0.0051" range="${range}" stiffness="1"`) +
      rod(`0 0 0 ${at(0.16, 0.16, -0.16)}`, 0.04) +
      body(
        `${name}_lower_arm`,
        at(0.18, 0.18, -0.18),
        hinge(`${name}_elbow`, `0 -1 ${-side}`, 'armature="0.0028" range="-90 50"') +
          rod(`${at(0.01, -0.01, 0.01)} ${at(0.17, -0.17, 0.17)}`, 0.031) +
          ball(0.04, `pos="${at(0.18, -0.18, 0.18)}"`),
      ),
  );
}

const LEG_MOTORS: readonly (readonly [string, number])[] = [
  ['hip_x', 100],
  ['hip_z', 100],
  ['hip_y', 300],
  ['knee', 200],
];
const ARM_MOTORS = ['shoulder1', 'shoulder2', 'elbow'];
const MOTORS = [
  ...['abdomen_y', 'abdomen_z', 'abdomen_x'].map((name) => [name, 100] as const),
  ...['right', 'left'].flatMap((side) =>
    LEG_MOTORS.map(([name, gear]) => [`${side}_${name}`, gear] as const),
  ),
  ...['right', 'left'].flatMap((side) => ARM_MOTORS.map((name) => [`${side}_${name}`, 25] as const)),
];

function humanoid(pose: Pose): string {
  const pelvis = body(
    'pelvis',
    pose.pelvis,
    abdomen('1 0 0', 'x', '0.1', '-35 35', 10) +
      rod('-.02 -.07 0 -.02 .07 0', 0.09) +
      leg(pose, -1) +
      leg(pose, 1),
    TILT,
  );
  const lowerWaist = body(
    'lwaist',
    pose.lowerWaist,
    rod('0 -.06 0 0 .06 0', 0.06) +
      abdomen('0 0 1', 'z', '0.065', '-45 45', 20) +
      abdomen('0 1 0', 'y', '0.065', '-75 30', 10) +
      pelvis,
    TILT,
  );
  return model(
    pose.name,
    `<compiler angle="degree" inertiafromgeom="true"/><option integrator="RK4" timestep="0.003" solver="PGS" iterations="50"/>
     <default><joint armature="1" damping="1" limited="true"/>
     <geom contype="1" conaffinity="1" condim="1" margin="0.001" rgba="0.8 0.6 0.4 1"/></default>`,
    '<geom type="plane" size="20 20 0.125" condim="3" friction="1 .1 .1" rgba="0.8 0.9 0.8 1"/>' +
      body(
        'torso',
        pose.torso,
        '<joint type="free" armature="0" damping="0" stiffness="0" limited="false"/>' +
          rod('0 -.07 0 0 .07 0', 0.07) +
          ball(0.09, `pos="${pose.head}"`) +
          rod(pose.waist, 0.06) +
          lowerWaist +
          arm(-1) +
          arm(1),
      ),
    MOTORS.map(([name, gear]) => motor(name, gear, '-.4 .4')).join(''),
  );
}

export const HUMANOID = humanoid(STANDING);
export const HUMANOID_STANDUP = humanoid(LYING);
