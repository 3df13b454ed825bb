/** Which parameters of a new run another run's checkpoint can give: layer by layer, by name and shape. */
import type { CheckpointContent, NamedTensor } from '../checkpoint/content.ts';
import { readTensor } from '../checkpoint/tensor-rules.ts';
import type { LeftPart } from '../checkpoint/warm-start.ts';
import { CheckpointError, ConfigError } from '../errors.ts';

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

/** Where what of an off-policy learner does not act lies in a checkpoint: other networks, Adam's moments. */
export function learnerFolder(policy: string): string {
  return policy === 'default' ? 'learner' : `policies/${policy}/learner`;
}

/** Where the parameters lie, and which are wanted. */
export interface WarmQuestion {
  /** Policy of the checkpoint, or its central critic: `main`, `main/critic`. */
  readonly source: string;
  /** null = all. */
  readonly networks: readonly string[] | null;
  /** Networks that the policy has elsewhere: known names, of which nothing is here. */
  readonly elsewhere?: readonly string[];
}

/**
 * A layer is taken whole (kernel, bias, gain and shift) or not at all: a bias without its kernel means nothing.
 *
 * @throws CheckpointError `CHECKPOINT_POLICY` for a checkpoint without weights, `CHECKPOINT_STATE` for numbers that are not finite;
 * ConfigError `CONFIG_INIT_NETWORKS` for a name that no network here has.
 */
export function readWarmParameters(
  { tensors }: CheckpointContent,
  slots: readonly WarmSlot[],
  { source: policy, networks, elsewhere = [] }: WarmQuestion,
): WarmParameters {
  checkNetworks(networks, slots, elsewhere);
  const weights = tensors[`policies/${policy}/weights.safetensors`];
  const source: Tensors = { ...tensors[`${learnerFolder(policy)}/model.safetensors`], ...weights };
  if (weights === undefined && !policy.endsWith('/critic'))
    throw new CheckpointError('CHECKPOINT_POLICY', 'The checkpoint to initialise from holds no weights.');
  const layers = byLayer(slots);
  const reasons = new Map<string, string>();
  for (const [layer, members] of layers) {
    const why = whyLeft(members, source, networks);
    if (why !== null) reasons.set(layer, why);
  }
  const stacks = { here: [...layers.keys()], there: layersOf(source) };
  for (const layer of stacks.here.filter((name) => !reasons.has(name))) {
    const why = whyHeadLeft(layer, stacks, reasons);
    if (why !== null) reasons.set(layer, why);
  }
  const taken = slots.filter(({ name }) => !reasons.has(layerOf(name)));
  const left = [...reasons].map(([name, why]): LeftPart => ({ name, why }));
  for (const { name, shape } of taken)
    readTensor(source, 'weights', name, { dtype: 'float32', shape, values: 'finite' });
  return {
    slots: taken,
    taken: [...byLayer(taken).keys()],
    left: [...left, ...unused(stacks)],
    write(parameters) {
      for (const { name, offset } of taken) parameters.set(source[name].data, offset);
    },
  };
}

function checkNetworks(
  networks: readonly string[] | null,
  slots: readonly WarmSlot[],
  elsewhere: readonly string[],
): void {
  const known = [...new Set([...slots.flatMap((slot) => slot.networks), ...elsewhere])];
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
    if (tensor === undefined)
      return members.some((member) => Object.hasOwn(source, member.name))
        ? `${name} is not in the checkpoint`
        : 'not in the checkpoint';
    if (tensor.dtype !== 'float32' || tensor.shape.join() !== shape.join())
      return `${name} is [${tensor.shape.join(', ')}] in the checkpoint, [${shape.join(', ')}] here`;
  }
  return null;
}

/** Layers of the run and of the checkpoint. */
interface Stacks {
  readonly here: readonly string[];
  readonly there: readonly string[];
}

/**
 * A head without what it stood on is noise, and louder than a fresh one. Hidden layers are taken also where one below them is not: one more
 * element in an observation costs the first layer alone.
 */
function whyHeadLeft(
  layer: string,
  { here, there }: Stacks,
  reasons: ReadonlyMap<string, string>,
): string | null {
  if (!layer.endsWith('/head')) return null;
  const [below, belowThere] = [belowHead(layer, here), belowHead(layer, there)];
  if (below !== belowThere)
    return `it stands on ${belowThere ?? 'the observation'} in the checkpoint, on ${below ?? 'the observation'} here`;
  if (below === undefined || !reasons.has(below)) return null;
  return `${below}, on which it stands, begins anew`;
}

/** The last hidden layer of its network, or of the trunk that networks share. */
function belowHead(head: string, layers: readonly string[]): string | undefined {
  const placeOf = (layer: string) => {
    const place = layer.slice(layer.lastIndexOf('/') + 1);
    return place === 'cell' ? -1 : Number(place); // a cell lies under all others
  };
  const lastOf = (network: string) =>
    layers
      .filter((layer) => layer.slice(0, layer.lastIndexOf('/')) === network)
      .filter((layer) => Number.isInteger(placeOf(layer)))
      .reduce<string | undefined>(
        (last, layer) => (last === undefined || placeOf(layer) > placeOf(last) ? layer : last),
        undefined,
      );
  return lastOf(head.slice(0, head.lastIndexOf('/'))) ?? lastOf('trunk');
}

/** Of a checkpoint; targets and statistics are not what one asks for. */
function layersOf(source: Tensors): readonly string[] {
  const names = Object.keys(source).filter((name) => !/^(target|noise\/target|observation)\//.test(name));
  return [...new Set(names.map(layerOf))];
}

/** Layers of the checkpoint that nothing here has. */
function unused({ here, there }: Stacks): LeftPart[] {
  return there
    .filter((layer) => !here.includes(layer))
    .map((name) => ({ name, why: 'in the checkpoint alone' }));
}
