/** Swimmer, HalfCheetah, Hopper and Walker2d: they move in a plane. */
import { body, hinge, model, motor, pill, planarRoot, rod } from './xml.ts';

const FLOOR = (size: string, more = '') =>
  `<geom type="plane" size="${size}" conaffinity="1" condim="3" rgba="0.8 0.9 0.8 1" ${more}/>`;

const SWIMMER_LINK = (fromto: string) => rod(fromto, 0.1, 'density="1000"');
const swimmerJoint = (name: string) => hinge(name, '0 0 1', 'limited="true" range="-100 100"');

export const SWIMMER = model(
  'swimmer',
  `<compiler angle="degree" inertiafromgeom="true"/><option integrator="RK4" timestep="0.01" density="4000" viscosity="0.1"/>
   <default><geom contype="0" conaffinity="0" condim="1" rgba="0.8 0.6 0.4 1"/><joint armature="0.1"/></default>`,
  '<geom type="plane" pos="0 0 -0.1" size="40 40 0.1" condim="3" rgba="0.8 0.9 0.8 1"/>' +
    body(
      'torso',
      '0 0 0',
      SWIMMER_LINK('1.5 0 0 0.5 0 0') +
        '<joint type="slide" name="x" axis="1 0 0"/><joint type="slide" name="y" axis="0 1 0"/>' +
        hinge('heading', '0 0 1', '') +
        body(
          'mid',
          '0.5 0 0',
          SWIMMER_LINK('0 0 0 -1 0 0') +
            swimmerJoint('front') +
            body('back', '-1 0 0', SWIMMER_LINK('0 0 0 -1 0 0') + swimmerJoint('rear')),
        ),
    ),
  motor('front', 150) + motor('rear', 150),
);

interface Limb {
  readonly name: string;
  readonly pos: string;
  readonly range: string;
  readonly damping: number;
  readonly stiffness: number;
  readonly gear: number;
  /** Of the capsule: where, turned by how much (rad), half length. */
  readonly at: string;
  readonly angle: number;
  readonly half: number;
}

const limb = (
  [name, pos, range]: [string, string, string],
  [damping, stiffness, gear]: [number, number, number],
  [at, angle, half]: [string, number, number],
): Limb => ({ name, pos, range, damping, stiffness, gear, at, angle, half });

/** Thigh, shin and foot of the back leg, then of the front leg. */
const CHEETAH_LEGS: readonly (readonly Limb[])[] = [
  [
    limb(['bthigh', '-.5 0 0', '-.52 1.05'], [6, 240, 120], ['.1 0 -.13', -3.8, 0.145]),
    limb(['bshin', '.16 0 -.25', '-.785 .785'], [4.5, 180, 90], ['-.14 0 -.07', -2.03, 0.15]),
    limb(['bfoot', '-.28 0 -.14', '-.4 .785'], [3, 120, 60], ['.03 0 -.097', -0.27, 0.094]),
  ],
  [
    limb(['fthigh', '.5 0 0', '-1 .7'], [4.5, 180, 120], ['-.07 0 -.12', 0.52, 0.133]),
    limb(['fshin', '-.14 0 -.24', '-1.2 .87'], [3, 120, 60], ['.065 0 -.09', -0.6, 0.106]),
    limb(['ffoot', '.13 0 -.18', '-.5 .5'], [1.5, 60, 30], ['.045 0 -.07', -0.6, 0.07]),
  ],
];
const CHEETAH_RADIUS = 0.046;

/** The first limb with those that follow hanging on it. */
const cheetahLeg = ([first, ...rest]: readonly Limb[]): string =>
  first === undefined
    ? ''
    : body(
        first.name,
        first.pos,
        hinge(
          first.name,
          '0 1 0',
          `range="${first.range}" damping="${first.damping}" stiffness="${first.stiffness}"`,
        ) +
          pill(
            CHEETAH_RADIUS,
            first.half,
            `pos="${first.at}" axisangle="0 1 0 ${first.angle}"${rest.length < 2 ? ' rgba="0.9 0.6 0.6 1"' : ''}`,
          ) +
          cheetahLeg(rest),
      );

export const HALF_CHEETAH = model(
  'half cheetah',
  `<compiler angle="radian" inertiafromgeom="true" settotalmass="14"/><option timestep="0.01"/>
   <default><joint armature=".1" damping=".01" stiffness="8" limited="true" solimplimit="0 .8 .03" solreflimit=".02 1"/>
   <geom contype="1" conaffinity="0" condim="3" friction=".4 .1 .1" solimp="0 .8 .01" solref=".02 1" rgba="0.8 0.6 0.4 1"/></default>`,
  FLOOR('40 40 40') +
    body(
      'torso',
      '0 0 .7',
      planarRoot(0) +
        rod('-.5 0 0 .5 0 0', CHEETAH_RADIUS) +
        pill(CHEETAH_RADIUS, 0.15, 'pos=".6 0 .1" axisangle="0 1 0 .87"') +
        CHEETAH_LEGS.map(cheetahLeg).join(''),
    ),
  CHEETAH_LEGS.flat()
    .map(({ name, gear }) => motor(name, gear))
    .join(''),
);

const STANDING = 1.25; // m, height of the torso of Hopper and Walker2d

interface Foot {
  /** Of the ankle's body from the shin's, forwards. */
  readonly forwards: number;
  readonly radius: number;
  readonly half: number;
  readonly friction: number;
}

/** Thigh, leg and foot, as Hopper has one of and Walker2d two. */
function uprightLeg(suffix: string, { forwards, radius, half, friction }: Foot, color = ''): string {
  const turned = 'quat="0.70710678118654757 0 -0.70710678118654746 0"';
  return body(
    `thigh${suffix}`,
    '0 0 -0.2',
    hinge(`thigh${suffix}`, '0 -1 0', 'range="-150 0"') +
      pill(0.05, 0.225, `pos="0 0 -0.225" friction="0.9" ${color}`) +
      body(
        `leg${suffix}`,
        '0 0 -0.7',
        hinge(`leg${suffix}`, '0 -1 0', 'pos="0 0 0.25" range="-150 0"') +
          pill(0.04, 0.25, `friction="0.9" ${color}`) +
          body(
            `foot${suffix}`,
            `${forwards} 0 -0.35`,
            hinge(`foot${suffix}`, '0 -1 0', `pos="${-forwards} 0 0.1" range="-45 45"`) +
              pill(radius, half, `pos="${-forwards / 2} 0 0.1" friction="${friction}" ${turned} ${color}`),
          ),
      ),
  );
}

const upright = (legs: string) =>
  body('torso', `0 0 ${STANDING}`, planarRoot(STANDING) + pill(0.05, 0.2, 'friction="0.9"') + legs);
const legMotors = (suffix: string, gear: number) =>
  ['thigh', 'leg', 'foot'].map((name) => motor(name + suffix, gear)).join('');

export const HOPPER = model(
  'hopper',
  `<compiler angle="degree" inertiafromgeom="true"/><option integrator="RK4" timestep="0.002"/>
   <default><joint armature="1" damping="1" limited="true"/>
   <geom contype="1" conaffinity="1" condim="1" margin="0.001" solimp=".8 .8 .01" solref=".02 1" rgba="0.8 0.6 0.4 1"/></default>`,
  FLOOR('20 20 .125') + upright(uprightLeg('', { forwards: 0.13, radius: 0.06, half: 0.195, friction: 2 })),
  legMotors('', 200),
);

const WALKER_FOOT: Foot = { forwards: 0.2, radius: 0.06, half: 0.1, friction: 1.9 };

export const WALKER_2D = model(
  'walker2d',
  `<compiler angle="degree" inertiafromgeom="true"/><option integrator="RK4" timestep="0.002"/>
   <default><joint armature="0.01" damping=".1" limited="true"/>
   <geom contype="1" conaffinity="0" condim="3" density="1000" friction=".7 .1 .1" rgba="0.8 0.6 0.4 1"/></default>`,
  FLOOR('40 40 40') +
    upright(uprightLeg('', WALKER_FOOT) + uprightLeg('_left', WALKER_FOOT, 'rgba=".7 .3 .6 1"')),
  legMotors('', 100) + legMotors('_left', 100),
);
