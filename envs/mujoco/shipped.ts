/** The environments of MuJoCo, for the list of all. */
import { MUJOCO } from './peer.ts';

function entry(id: string, name: string, description: string, rewardThreshold?: number) {
  return {
    id,
    file: 'mujoco-v5',
    export: name,
    vectorExport: `${name}Vector`,
    description,
    peer: MUJOCO,
    ...(rewardThreshold !== undefined && { rewardThreshold }),
  };
}

export const MUJOCO_ENVS = [
  entry('InvertedPendulum-v5', 'invertedPendulum', 'Balance a pole on a cart, in MuJoCo.', 950),
  entry('InvertedDoublePendulum-v5', 'invertedDoublePendulum', 'Balance a pole on a pole on a cart.', 9100),
  entry('Reacher-v5', 'reacher', 'Bring the tip of a two-link arm to a target. Limit 50 steps.', -3.75),
  entry('Pusher-v5', 'pusher', 'Push an object to a goal with an arm of seven joints. Limit 100 steps.', 0),
  entry('Swimmer-v5', 'swimmer', 'Swim forwards with three links.', 360),
  entry('HalfCheetah-v5', 'halfCheetah', 'Run forwards on two legs in the plane.', 4800),
  entry('Hopper-v5', 'hopper', 'Hop forwards on one leg.', 3800),
  entry('Walker2d-v5', 'walker2d', 'Walk forwards on two legs in the plane.'),
  entry('Ant-v5', 'ant', 'Run forwards on four legs.', 6000),
  entry('Humanoid-v5', 'humanoid', 'Walk forwards on two legs, with arms.'),
  entry('HumanoidStandup-v5', 'humanoidStandup', 'Stand up from lying on the back.'),
];
