/** Reacher: an arm of two links in the plane. Pusher: an arm of seven joints, an object and a goal on a table. */
import { ball, body, hinge, model, motor, rod } from './xml.ts';

const BORDER = [
  '-.3 -.3 .01 .3 -.3 .01',
  '.3 -.3 .01 .3 .3 .01',
  '-.3 .3 .01 .3 .3 .01',
  '-.3 -.3 .01 -.3 .3 .01',
];
const ARM_COLOR = 'rgba="0 0.4 0.6 1"';
const targetSlide = (name: string, axis: string, ref: number) =>
  `<joint type="slide" name="${name}" axis="${axis}" ref="${ref}" armature="0" damping="0" limited="true" range="-.27 .27"/>`;

export const REACHER = model(
  'reacher',
  `<compiler angle="radian" inertiafromgeom="true"/><option integrator="RK4" timestep="0.01"/>
   <default><joint armature="1" damping="1" limited="true"/><geom contype="0" friction="1 0.1 0.1" rgba="0.7 0.7 0 1"/></default>`,
  '<geom type="plane" size="1 1 10" conaffinity="0" rgba="0.9 0.9 0.9 1"/>' +
    BORDER.map((fromto) => rod(fromto, 0.02, 'conaffinity="0" rgba="0.9 0.4 0.6 1"')).join('') +
    '<geom type="cylinder" fromto="0 0 0 0 0 0.02" size=".011" conaffinity="0" rgba="0.9 0.4 0.6 1"/>' +
    body(
      'body0',
      '0 0 .01',
      rod('0 0 0 0.1 0 0', 0.01, ARM_COLOR) +
        hinge('joint0', '0 0 1', 'limited="false"') +
        body(
          'body1',
          '0.1 0 0',
          hinge('joint1', '0 0 1', 'range="-3 3"') +
            rod('0 0 0 0.1 0 0', 0.01, ARM_COLOR) +
            body('fingertip', '0.11 0 0', ball(0.01, 'rgba="0 0.8 0.6 1"')),
        ),
    ) +
    body(
      'target',
      '.1 -.1 .01',
      targetSlide('target_x', '1 0 0', 0.1) +
        targetSlide('target_y', '0 1 0', -0.1) +
        ball(0.009, 'conaffinity="0" rgba="0.9 0.2 0.2 1"'),
    ),
  motor('joint0', 200) + motor('joint1', 200),
);

/** Name, axis, limits, damping; from the shoulder to the wrist. */
const PUSHER_JOINTS = {
  shoulderPan: ['0 0 1', '-2.2854 1.714602', 1],
  shoulderLift: ['0 1 0', '-0.5236 1.3963', 1],
  upperArmRoll: ['1 0 0', '-1.5 1.7', 0.1],
  elbow: ['0 1 0', '-2.3213 0', 0.1],
  forearmRoll: ['1 0 0', '-1.5 1.5', 0.1],
  wristFlex: ['0 1 0', '-1.094 0', 0.1],
  wristRoll: ['1 0 0', '-1.5 1.5', 0.1],
} as const;

function pusherJoint(name: keyof typeof PUSHER_JOINTS): string {
  const [axis, range, damping] = PUSHER_JOINTS[name];
  return hinge(name, axis, `range="${range}" damping="${damping}"`);
}

const slideOnTable = (name: string) =>
  ['0 1 0', '1 0 0']
    .map(
      (axis, k) =>
        `<joint type="slide" name="${name}${'yx'[k]}" axis="${axis}" range="-10.3213 10.3" damping="0.5"/>`,
    )
    .join('');

const TOUCHES = 'contype="1" conaffinity="1"';
const PUSHER_HAND =
  body('tips_arm', '0 0 0', ball(0.01, 'pos="0.1 -0.1 0"') + ball(0.01, 'pos="0.1 0.1 0"')) +
  rod('0 -0.1 0 0 0.1 0', 0.02, TOUCHES) +
  rod('0 -0.1 0 0.1 -0.1 0', 0.02, TOUCHES) +
  rod('0 0.1 0 0.1 0.1 0', 0.02, TOUCHES);

const PUSHER_FOREARM = body(
  'elbow_flex',
  '0.4 0 0',
  rod('0 -0.02 0 0 0.02 0', 0.06) +
    pusherJoint('elbow') +
    body(
      'forearm_roll',
      '0 0 0',
      rod('-0.1 0 0 0.1 0 0', 0.02) +
        pusherJoint('forearmRoll') +
        body(
          'forearm',
          '0 0 0',
          rod('0 0 0 0.291 0 0', 0.05) +
            body(
              'wrist_flex',
              '0.321 0 0',
              rod('0 -0.02 0 0 0.02 0', 0.01) +
                pusherJoint('wristFlex') +
                body('wrist_roll', '0 0 0', pusherJoint('wristRoll') + PUSHER_HAND),
            ),
        ),
    ),
);

const PUSHER_ARM = body(
  'shoulder_pan',
  '0 -0.6 0',
  [-0.06, 0.06].map((x) => ball(0.05, `pos="${x} 0.05 0.2" rgba="0.6 0.6 0.6 1"`)).join('') +
    [-0.06, 0.06].map((x) => ball(0.03, `pos="${x} 0.09 0.2" rgba="0.1 0.1 0.1 1"`)).join('') +
    rod('0 0 -0.4 0 0 0.2', 0.1) +
    pusherJoint('shoulderPan') +
    body(
      'shoulder_lift',
      '0.1 0 0',
      rod('0 -0.1 0 0 0.1 0', 0.1) +
        pusherJoint('shoulderLift') +
        body(
          'upper_arm_roll',
          '0 0 0',
          rod('-0.1 0 0 0.1 0 0', 0.02) +
            pusherJoint('upperArmRoll') +
            body('upper_arm', '0 0 0', rod('0 0 0 0.4 0 0', 0.06) + PUSHER_FOREARM),
        ),
    ),
);

export const PUSHER = model(
  'pusher',
  `<compiler angle="radian" inertiafromgeom="true"/><option timestep="0.01" gravity="0 0 0" iterations="20" integrator="Euler"/>
   <default><joint armature="0.04" damping="1" limited="true"/>
   <geom friction=".8 .1 .1" density="300" margin="0.002" condim="1" contype="0" conaffinity="0"/></default>`,
  `<geom type="plane" pos="0 0.5 -0.325" size="1 1 0.1" ${TOUCHES}/>` +
    PUSHER_ARM +
    body(
      'object',
      '0.45 -0.05 -0.275',
      `<geom type="cylinder" size="0.05 0.05" density="0.01" contype="1" rgba="1 1 1 1"/>${slideOnTable('object')}`,
    ) +
    body(
      'goal',
      '0.45 -0.05 -0.323',
      `<geom type="cylinder" size="0.08 0.001" density="0.00001" rgba="1 0 0 1"/>${slideOnTable('goal')}`,
    ),
  Object.keys(PUSHER_JOINTS)
    .map((name) => motor(name, 1, '-2 2'))
    .join(''),
);
