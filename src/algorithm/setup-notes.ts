/** What in the setting of a run often turns out to be a mistake: told at its start, and nothing is changed. */
import { channelsFirst, isImage } from '../env/image-layout.ts';
import { describeSpace } from '../env/space-json.ts';
import type { Space } from '../env/spaces.ts';
import type { ActingDistribution, ActingSpec, ProductSpec } from '../policy/policy-spec.ts';

/** Where a Gaussian of deviation 1 explores a hundredth of the bounds, or is clipped nearly always. */
const FAR_FROM_ONE = 10;

export interface Setup {
  readonly spec: ActingSpec;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
}

/** One sentence or two for people, each with what to do. */
export function setupNotes({ spec, observationSpace, actionSpace }: Setup): readonly string[] {
  const notes = [channelsFirst(observationSpace)];
  if (isImage(observationSpace) && spec.network.kind === 'mlp') {
    notes.push(
      `The observations ${describeSpace(observationSpace)} are images, and the network is an MLP, which knows nothing of neighbouring pixels: ` +
        "set network: 'conv' where the algorithm has it, or make features of them.",
    );
  }
  notes.push(farBounds(spec, actionSpace));
  return notes.filter((note) => note !== null);
}

/** A Gaussian begins with means near 0 and deviations of about 1, whatever the bounds are; behaviours map [-1, 1] onto them. */
function farBounds({ distribution }: ActingSpec, space: Space): string | null {
  if (distribution.kind === 'product') {
    const notes = distribution.heads.map((head) => farBoundsOf(head, space));
    return notes.find((note) => note !== null) ?? null;
  }
  return farBoundsOf(distribution, space);
}

function farBoundsOf(distribution: Exclude<ActingDistribution, ProductSpec>, space: Space): string | null {
  const isUnscaled =
    (distribution.kind === 'gaussian' || distribution.kind === 'gsde') && !distribution.squash;
  if (!isUnscaled) return null;
  const { low, high } = distribution;
  const at = low.findIndex((bound, a) => {
    const half = (high[a] - bound) / 2;
    return Number.isFinite(half) && (half > FAR_FROM_ONE || half < 1 / FAR_FROM_ONE);
  });
  if (at < 0) return null;
  return (
    `The action bounds [${low[at]}, ${high[at]}] of ${describeSpace(space)} are far from [-1, 1], and the policy explores with a deviation of ` +
    'about 1 around 0 whatever they are: set squashActions: true, which scales to them, or wrap the environment in rescaleAction(env).'
  );
}
