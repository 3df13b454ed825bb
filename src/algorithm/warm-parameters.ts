/** Which parameters of a new run another run's checkpoint can give: layer by layer, by name and shape. */
import type { CheckpointContent, NamedTensor } from '../checkpoint/content.ts';
import { readTensor } from '../checkpoint/tensor-rules.ts';
import type { LeftPart } from '../checkpoint/warm-start.ts';
import { CheckpointError, ConfigError } from '../errors.ts';

const WEIGHTS = 'policies/default/weights.safetensors';
const MODEL = 'learner/model.safetensors';

/** A tensor of the new run's flat parameter vector. */
export interface WarmSlot {
  /** As weights are named in checkpoints: what acts as `actor/...`, whatever its network is called. */
  readonly name: string;
  /** As the optimizer's moments are named in checkpoints. */
  readonly momentName: string;
  /** The network that it belongs to, and what acts besides as what it acts as: `['q', 'actor']`. */
  readonly networks: readonly string[];
  readonly shape: readonly number[];
  /** In elements. */
  readonly offset: number;
}

export interface WarmParameters {
  readonly slots: readonly WarmSlot[];
  /** Names of their layers. */
  readonly taken: readonly string[];
  readonly left: readonly LeftPart[];
  /** Writes what is taken into a flat vector. */
  write(parameters: Float32Array): void;
}

type Tensors = Readonly<Record<string, NamedTensor>>;

/**
 * A layer is taken whole (kernel, bias, gain and shift) or not at all: a bias without its kernel means nothing.
 *
 * @param networks null = all.
 * @throws CheckpointError `CHECKPOINT_POLICY` for a checkpoint without weights, `CHECKPOINT_STATE` for numbers that are not finite;
 * ConfigError `CONFIG_INIT_NETWORKS` for a name that no network here has.
 */
export function readWarmParameters(
  { tensors }: CheckpointContent,
  slots: readonly WarmSlot[],
  networks: readonly string[] | null,
): WarmParameters {
  checkNetworks(networks, slots);
  const source: Tensors = { ...tensors[MODEL], ...tensors[WEIGHTS] };
  if (tensors[WEIGHTS] === undefined)
    throw new CheckpointError('CHECKPOINT_POLICY', 'The checkpoint to initialise from holds no weights.');
  const taken: WarmSlot[] = [];
  const left: LeftPart[] = [];
  for (const [layer, members] of byLayer(slots)) {
    const why = whyLeft(members, source, networks);
    if (why === null) taken.push(...members);
    else left.push({ name: layer, why });
  }
  for (const { name, shape } of taken)
    readTensor(source, 'weights', name, { dtype: 'float32', shape, values: 'finite' });
  return {
    slots: taken,
    taken: [...byLayer(taken).keys()],
    left: [...left, ...unused(source, slots)],
    write(parameters) {
      for (const { name, offset } of taken) parameters.set(source[name].data, offset);
    },
  };
}

function checkNetworks(networks: readonly string[] | null, slots: readonly WarmSlot[]): void {
  const known = [...new Set(slots.flatMap((slot) => slot.networks))];
  const unknown = networks?.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ConfigError(
    'CONFIG_INIT_NETWORKS',
    `initNetworks names \`${unknown}\`, and the networks of this run are: ${known.join(', ')}. Name some of these, or leave it out for all.`,
  );
}

function byLayer(slots: readonly WarmSlot[]): Map<string, WarmSlot[]> {
  const layers = new Map<string, WarmSlot[]>();
  for (const slot of slots) {
    const layer = layerOf(slot.name);
    const members = layers.get(layer);
    if (members === undefined) layers.set(layer, [slot]);
    else members.push(slot);
  }
  return layers;
}

/** `actor/0` of `actor/0/kernel`; a parameter that belongs to no layer is one by itself. */
function layerOf(name: string): string {
  return name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : name;
}

function whyLeft(
  members: readonly WarmSlot[],
  source: Tensors,
  networks: readonly string[] | null,
): string | null {
  if (networks !== null && !members[0].networks.some((name) => networks.includes(name)))
    return 'not among initNetworks';
  for (const { name, shape } of members) {
    const tensor = Object.hasOwn(source, name) ? source[name] : undefined;
    if (tensor === undefined) return 'not in the checkpoint';
    if (tensor.dtype !== 'float32' || tensor.shape.join() !== shape.join())
      return `${name} is [${tensor.shape.join(', ')}] in the checkpoint, [${shape.join(', ')}] here`;
  }
  return null;
}

/** Layers of the checkpoint that nothing here has; targets and statistics are not what one asks for. */
function unused(source: Tensors, slots: readonly WarmSlot[]): LeftPart[] {
  const here = new Set(slots.map(({ name }) => layerOf(name)));
  const there = Object.keys(source).filter((name) => !/^(target|noise\/target|observation)\//.test(name));
  const layers = [...new Set(there.map(layerOf))].filter((layer) => !here.has(layer));
  return layers.map((name) => ({ name, why: 'in the checkpoint alone' }));
}
