/**
 * Pieces that the models have in common, as MuJoCo's XML.
 *
 * The numbers of all models here are those of Gymnasium's (MIT licence, see `LICENSE-gymnasium.txt` beside this file): masses, lengths, gears and
 * limits make the task. How they are written down is our own, and what is only looked at is left out.
 */

/**
 * A model: options and defaults first, then the world, then the motors. A simulation's working memory is 1 MB, of which these tasks use little (MuJoCo
 * counts it in `data.maxuse_arena`); MuJoCo's own choice of 13 MB would let 150 of them into the 2 GB of a thread.
 */
export function model(name: string, settings: string, world: string, motors: string): string {
  return `<mujoco model="${name}">${settings}<size memory="1M"/><worldbody>${world}</worldbody><actuator>${motors}</actuator></mujoco>`;
}

export function body(name: string, pos: string, inside: string, more = ''): string {
  return `<body name="${name}" pos="${pos}" ${more}>${inside}</body>`;
}

export function hinge(name: string, axis: string, more: string): string {
  return `<joint type="hinge" name="${name}" axis="${axis}" ${more}/>`;
}

/** A capsule between two points. */
export function rod(fromto: string, radius: number, more = ''): string {
  return `<geom type="capsule" fromto="${fromto}" size="${radius}" ${more}/>`;
}

/** A capsule of a half length about its centre, along z unless turned. */
export function pill(radius: number, halfLength: number, more = ''): string {
  return `<geom type="capsule" size="${radius} ${halfLength}" ${more}/>`;
}

export function ball(radius: number, more = ''): string {
  return `<geom type="sphere" size="${radius}" ${more}/>`;
}

export function motor(joint: string, gear: number, range = '-1 1'): string {
  return `<motor joint="${joint}" gear="${gear}" ctrllimited="true" ctrlrange="${range}"/>`;
}

/** What lets a body move in the plane of x and z, and turn in it, free of the defaults of other joints. */
export function planarRoot(height: number): string {
  const free = 'armature="0" damping="0" stiffness="0" limited="false"';
  const at = `pos="0 0 ${-height}"`;
  return (
    `<joint type="slide" name="rootx" axis="1 0 0" ${at} ${free}/>` +
    `<joint type="slide" name="rootz" axis="0 0 1" ${at} ref="${height}" ${free}/>` +
    `<joint type="hinge" name="rooty" axis="0 1 0" ${free}/>`
  );
}
