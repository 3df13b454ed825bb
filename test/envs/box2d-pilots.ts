/** The pilots that come with Gymnasium's Box2D environments: rules of thumb from the observation to an action. */

const clip = (x: number, limit = 1) => Math.min(limit, Math.max(-limit, x));

/** Tilts towards the pad and hovers the higher the farther from it; from the first leg on only brakes. */
export function pilotLander(o: ArrayLike<number>, isContinuous: boolean): number[] {
  const isDown = o[6] !== 0 || o[7] !== 0;
  const turn = isDown ? 0 : (clip(0.5 * o[0] + o[2], 0.4) - o[4]) * 0.5 - o[5];
  const climb = isDown ? -0.5 * o[3] : (0.55 * Math.abs(o[0]) - o[1]) * 0.5 - 0.5 * o[3];
  if (isContinuous) return [clip(20 * climb - 1), clip(-20 * turn)];
  if (climb > Math.abs(turn) && climb > 0.05) return [2];
  if (turn < -0.05) return [3];
  return [turn > 0.05 ? 1 : 0];
}

const KNEE_LIMIT = 0.1;
const SPEED = 0.29;

/** Stands on one leg, puts the other one down in front, pushes off with the first, and so on. */
export function createWalkerPilot(): (o: ArrayLike<number>) => number[] {
  let phase: 'stand' | 'put-down' | 'push-off' = 'stand';
  let moving = 0;
  let standingKnee = KNEE_LIMIT;
  return (o) => {
    const standing = 1 - moving;
    const [movingAt, standingAt] = [4 + 5 * moving, 4 + 5 * standing];
    const hipGoal: (number | null)[] = [null, null];
    const kneeGoal: (number | null)[] = [null, null];
    if (phase === 'stand') {
      hipGoal[moving] = 1.1;
      kneeGoal[moving] = -0.6;
      standingKnee = Math.min(KNEE_LIMIT, standingKnee + (o[2] > SPEED ? 0.06 : 0.03));
      kneeGoal[standing] = standingKnee;
      if (o[standingAt] < 0.1) phase = 'put-down';
    }
    if (phase === 'put-down') {
      hipGoal[moving] = 0.1;
      kneeGoal[moving] = KNEE_LIMIT;
      kneeGoal[standing] = standingKnee;
      if (o[movingAt + 4] !== 0) {
        phase = 'push-off';
        standingKnee = Math.min(o[movingAt + 2], KNEE_LIMIT);
      }
    }
    if (phase === 'push-off') {
      kneeGoal[moving] = standingKnee;
      kneeGoal[standing] = 1;
      if (o[standingAt + 2] > 0.88 || o[2] > 1.2 * SPEED) {
        phase = 'stand';
        moving = standing;
      }
    }
    const upright = 0.9 * o[0] + 1.5 * o[1];
    return [0, 1].flatMap((leg) => {
      const at = 4 + 5 * leg;
      const [hip, knee] = [hipGoal[leg], kneeGoal[leg]];
      const hipPush = (hip ? 0.9 * (hip - o[at]) - 0.25 * o[at + 1] : 0) + upright;
      const kneePush = (knee ? 4 * (knee - o[at + 2]) - 0.25 * o[at + 3] : 0) - 15 * o[3];
      return [clip(0.5 * hipPush), clip(0.5 * kneePush)];
    });
  };
}
