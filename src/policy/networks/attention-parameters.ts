/** The parameters of a policy with attention, in the flat vector. */
import type { ParameterLayout } from '../../weights/parameter-layout.ts';
import type { ActingSpec } from '../policy-spec.ts';
import type { SpecWithAttention } from './attention-state.ts';
import { layOut, mlpParameterLayout, type NamedShape } from './mlp-parameters.ts';

/** Hidden units of a block's own two layers, as a multiple of the blocks' width. */
export const FEED_FORWARD_FACTOR = 2;

/**
 * As that of an MLP policy, with a transformer at the beginning of each tower (D = size, W = window): `actor/embed/kernel [obs, D]`, `actor/embed/bias [D]`,
 * and for block k `actor/block<k>/`
 *
 *     norm/{gain, shift} [D]      query, key, value, output [D, D]     distances [W + 1, D]    contentBias, positionBias [D]
 *     gate/given [D, 3D]   gate/own [D, 2D]   gate/candidate [D, D]   gate/bias [D]
 *     feedNorm/{gain, shift} [D]  feed0/{kernel [D, 2D], bias}  feed1/{kernel [2D, D], bias}     feedGate/... as gate
 *
 * Row w of `distances` is of the step W - w ago, the last one of the step itself.
 */
export function attentionParameterLayout(spec: SpecWithAttention): ParameterLayout {
  return layOut(spec, spec.network, (tower) => towerTensors(tower, spec));
}

/** Of a network that runners act with: attention, or what the kernels cover. */
export function inProcessLayout(spec: ActingSpec): ParameterLayout {
  const { network } = spec;
  return network.kind === 'attention'
    ? attentionParameterLayout({ ...spec, network })
    : mlpParameterLayout(spec);
}

function towerTensors(tower: string, { network, observationSize }: SpecWithAttention): NamedShape[] {
  const { size, numBlocks, window } = network;
  const tensors: NamedShape[] = [];
  const add = (name: string, ...shape: number[]) => void tensors.push({ name: `${tower}/${name}`, shape });
  add('embed/kernel', observationSize, size);
  add('embed/bias', size);
  const norm = (name: string) => {
    add(`${name}/gain`, size);
    add(`${name}/shift`, size);
  };
  const gate = (name: string) => {
    add(`${name}/given`, size, 3 * size);
    add(`${name}/own`, size, 2 * size);
    add(`${name}/candidate`, size, size);
    add(`${name}/bias`, size);
  };
  for (let k = 0; k < numBlocks; k++) {
    const block = `block${k}`;
    norm(`${block}/norm`);
    for (const name of ['query', 'key', 'value', 'output']) add(`${block}/${name}`, size, size);
    add(`${block}/distances`, window + 1, size);
    add(`${block}/contentBias`, size);
    add(`${block}/positionBias`, size);
    gate(`${block}/gate`);
    norm(`${block}/feedNorm`);
    add(`${block}/feed0/kernel`, size, FEED_FORWARD_FACTOR * size);
    add(`${block}/feed0/bias`, FEED_FORWARD_FACTOR * size);
    add(`${block}/feed1/kernel`, FEED_FORWARD_FACTOR * size, size);
    add(`${block}/feed1/bias`, size);
    gate(`${block}/feedGate`);
  }
  return tensors;
}
