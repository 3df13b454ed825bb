/** A cart on a rail with one pole, and with two. */
import { body, model, motor, pill, rod } from './xml.ts';

const ALONG_X = 'quat="0.707 0 0.707 0"';
const RAIL = pill(0.02, 1, `${ALONG_X} rgba="0.3 0.3 0.7 1"`);
const CART = pill(0.1, 0.1, ALONG_X);
const GEOM = '<geom contype="0" friction="1 0.1 0.1" rgba="0.7 0.7 0 1"/>';
const POLE_COLOR = 'rgba="0 0.7 0.7 1"';
const slider = (more: string) =>
  `<joint type="slide" name="slider" axis="1 0 0" limited="true" range="-1 1" ${more}/>`;
const pivot = (name: string, more = '') => `<joint type="hinge" name="${name}" axis="0 1 0" ${more}/>`;

export const INVERTED_PENDULUM = model(
  'inverted pendulum',
  `<compiler inertiafromgeom="true"/><option integrator="RK4" timestep="0.02"/>
   <default><joint damping="1" limited="true"/>${GEOM}</default>`,
  RAIL +
    body(
      'cart',
      '0 0 0',
      slider('') +
        CART +
        body('pole', '0 0 0', pivot('hinge', 'range="-90 90"') + rod('0 0 0 0.001 0 0.6', 0.049, POLE_COLOR)),
    ),
  motor('slider', 100, '-3 3'),
);

export const INVERTED_DOUBLE_PENDULUM = model(
  'inverted double pendulum',
  `<compiler inertiafromgeom="true"/><option integrator="RK4" timestep="0.01" gravity="1e-5 0 -9.81"/>
   <default><joint damping="0.05"/>${GEOM}</default>`,
  `<geom type="plane" pos="0 0 -3" size="40 40 40" rgba="0.8 0.9 0.8 1"/>${RAIL}` +
    body(
      'cart',
      '0 0 0',
      slider('margin="0.01"') +
        CART +
        body(
          'pole',
          '0 0 0',
          pivot('hinge') +
            rod('0 0 0 0 0 0.6', 0.045, POLE_COLOR) +
            body(
              'pole2',
              '0 0 0.6',
              `${pivot('hinge2')}${rod('0 0 0 0 0 0.6', 0.045, POLE_COLOR)}<site name="tip" pos="0 0 0.6" size="0.01"/>`,
            ),
        ),
    ),
  motor('slider', 500),
);
