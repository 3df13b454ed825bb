/** The plain forward pass of whatever network a policy has. */
import { EngineError } from '../../errors.ts';
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import type { ParameterLayout } from '../../weights/parameter-layout.ts';
import { convParameterLayout } from '../conv-layers.ts';
import type { ActingSpec, ConvSpec, MlpSpec, RecurrentSpec } from '../policy-spec.ts';
import { openConvForward } from './conv-forward.ts';
import { assertKnownSpec } from './known-spec.ts';
import { openMlpForward } from './mlp-forward.ts';
import { mlpParameterLayout } from './mlp-parameters.ts';
import { openRecurrentForward } from './recurrent-forward.ts';
import type { RowForward } from './row-outputs.ts';

/** A policy whose network is computed without kernels or TensorFlow. */
export type PlainSpec = ActingSpec & { readonly network: MlpSpec | RecurrentSpec | ConvSpec };

/** @throws EngineError `ENGINE_NETWORK` for networks of somebody's own, and what {@link assertKnownSpec} refuses. */
export function assertPlainSpec(spec: ActingSpec, what: string): asserts spec is PlainSpec {
  const { network } = spec;
  if (network.kind === 'recurrent') {
    const { cell: _cell, size: _size, numLayers: _numLayers, sizesBefore: _before, ...layers } = network; // the others are an MLP's
    assertKnownSpec({ ...spec, network: { ...layers, kind: 'mlp' } }, what);
    return;
  }
  if (network.kind === 'attention') {
    const message = `${what} covers MLPs, recurrent cells and convolutions, and this policy has attention over its past steps. Act with \`loadPolicy\` of 'operant', serve it with \`operant serve\`, or train with recurrent: 'lstm' or 'gru'.`;
    throw new EngineError('ENGINE_NETWORK', message);
  }
  assertKnownSpec(spec, what);
  if (network.kind !== 'custom') return;
  const message = `${what} covers MLPs, recurrent cells and convolutions, and this policy's network is a module of somebody's own (${network.module}). Act with \`loadPolicy\` of 'operant'.`;
  throw new EngineError('ENGINE_NETWORK', message);
}

export function plainParameterLayout(spec: PlainSpec): ParameterLayout {
  return spec.network.kind === 'conv' ? convParameterLayout(spec, spec.network) : mlpParameterLayout(spec);
}

export interface PlainForward {
  readonly run: RowForward;
  /** What a recurrent policy remembers: read, cleared or set by the caller between rows. Of others empty. */
  readonly state: Float64Array; // [S] f64
}

/** One raw flat observation at a time. Thread: any, one each. Cost: see openMlpForward, openRecurrentForward, openConvForward. */
export function openRowForward(
  spec: PlainSpec,
  parameters: Float32Array,
  statistics: ObservationStatistics | null,
): PlainForward {
  const { network } = spec;
  if (network.kind === 'recurrent') return openRecurrentForward({ ...spec, network }, parameters, statistics);
  const run =
    network.kind === 'mlp'
      ? openMlpForward({ ...spec, network }, parameters, statistics)
      : openConvForward({ ...spec, network }, parameters, statistics);
  return { run, state: new Float64Array(0) };
}
