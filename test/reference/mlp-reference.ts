/** A slow, plain float64 MLP policy: what the kernels are checked against. */

import { inProcessLayout } from '../../src/policy/networks/attention-parameters.ts';
import { type ActingSpec, type Activation, actsInRunners } from '../../src/policy/policy-spec.ts';
import type { ParameterEntry } from '../../src/weights/parameter-layout.ts';

const C = Math.sqrt(2 / Math.PI);
export const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
export const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export const ACTIVATIONS: Record<Activation, { f: (x: number) => number; df: (x: number) => number }> = {
  identity: { f: (x) => x, df: () => 1 },
  tanh: { f: Math.tanh, df: (x) => 1 - Math.tanh(x) ** 2 },
  relu: { f: (x) => Math.max(x, 0), df: (x) => (x > 0 ? 1 : 0) },
  elu: { f: (x) => (x > 0 ? x : Math.expm1(x)), df: (x) => (x > 0 ? 1 : Math.exp(x)) },
  silu: {
    f: (x) => x * sigmoid(x),
    df: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
  },
  gelu: {
    f: (x) => 0.5 * x * (1 + Math.tanh(C * (x + 0.044715 * x ** 3))),
    df: (x) => {
      const t = Math.tanh(C * (x + 0.044715 * x ** 3));
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * C * (1 + 3 * 0.044715 * x * x);
    },
  },
  'leaky-relu': { f: (x) => (x > 0 ? x : 0.01 * x), df: (x) => (x > 0 ? 1 : 0.01) },
  sigmoid: { f: sigmoid, df: (x) => sigmoid(x) * (1 - sigmoid(x)) },
};

type Numbers = ArrayLike<number>;

/** One dense layer's rows: what went in, before and after the activation. */
interface LayerTrace {
  readonly name: string;
  readonly activation: Activation;
  readonly input: number[][];
  readonly pre: number[][];
}

export interface ForwardTrace {
  readonly outputs: number[][]; // [B, P]
  readonly values: number[]; // [B]
  readonly latent: number[][]; // [B, H]
  readonly hidden: readonly LayerTrace[][]; // per tower
  readonly heads: { readonly actor: LayerTrace; readonly critic: LayerTrace };
}

const known = new WeakMap<ActingSpec, ReadonlyMap<string, ParameterEntry>>();

function entriesOf(spec: ActingSpec): ReadonlyMap<string, ParameterEntry> {
  const made = known.get(spec) ?? new Map(inProcessLayout(spec).entries.map((entry) => [entry.name, entry]));
  known.set(spec, made);
  return made;
}

export function tensorsOf(spec: ActingSpec, parameters: Numbers) {
  const byName = entriesOf(spec);
  return (name: string) => {
    const entry = byName.get(name);
    if (entry === undefined) return { offset: -1, shape: [0, 0], size: 0, at: () => Number.NaN };
    return { ...entry, at: (k: number) => parameters[entry.offset + k] };
  };
}

export function dense(
  spec: ActingSpec,
  parameters: Numbers,
  name: string,
  activation: Activation,
  input: number[][],
) {
  const tensor = tensorsOf(spec, parameters);
  const kernel = tensor(`${name}/kernel`);
  const bias = tensor(`${name}/bias`);
  const [inputs, outputs] = kernel.shape;
  const pre = input.map((row) => {
    const out = Array.from({ length: outputs }, (_, j) => bias.at(j));
    for (let i = 0; i < inputs; i++)
      for (let j = 0; j < outputs; j++) out[j] += row[i] * kernel.at(i * outputs + j);
    return out;
  });
  const { f } = ACTIVATIONS[activation];
  return { output: pre.map((row) => row.map(f)), trace: { name, activation, input, pre } };
}

/** @param x normalised observations [B, obsSize], or behind a recurrent cell the actor's hidden states; `ofCritic` the critic's. */
export function forwardReference(
  spec: ActingSpec,
  parameters: Numbers,
  x: number[][],
  ofCritic: number[][] = x,
): ForwardTrace {
  if (!actsInRunners(spec.network)) throw new Error('Expected an MLP');
  const { hiddenSizes, activation, shared } = spec.network;
  const first = spec.network.kind === 'recurrent' ? (spec.network.sizesBefore?.length ?? 0) : 0; // behind the cells
  const tower = (prefix: string) => {
    let rows = prefix === 'critic' ? ofCritic : x;
    const traces = hiddenSizes.map((_, k) => {
      const { output, trace } = dense(spec, parameters, `${prefix}/${first + k}`, activation, rows);
      rows = output;
      return trace;
    });
    return { rows, traces };
  };
  const actor = tower(shared ? 'trunk' : 'actor');
  const hasValues = spec.actorOnly !== true;
  const critic = !hasValues ? actor : shared ? { rows: actor.rows, traces: [] } : tower('critic');
  const actorHead = dense(spec, parameters, 'actor/head', 'identity', actor.rows);
  const criticHead = dense(
    spec,
    parameters,
    hasValues ? 'critic/head' : 'actor/head',
    'identity',
    critic.rows,
  );
  return {
    outputs: actorHead.output,
    values: criticHead.output.map((row) => row[0]),
    latent: actor.rows,
    hidden: [actor.traces, critic.traces],
    heads: { actor: actorHead.trace, critic: criticHead.trace },
  };
}

/** Gradient of sum_r (gradOutputs_r . outputs_r + gradValues_r value_r) with respect to all dense parameters. */
export function backwardReference(
  spec: ActingSpec,
  parameters: Numbers,
  trace: ForwardTrace,
  gradOutputs: number[][],
  gradValues: number[],
): Float64Array {
  const tensor = tensorsOf(spec, parameters);
  const gradients = new Float64Array(inProcessLayout(spec).size);
  const back = ({ name, activation, input, pre }: LayerTrace, gradOutput: number[][]): number[][] => {
    const kernel = tensor(`${name}/kernel`);
    const bias = tensor(`${name}/bias`);
    const [inputs, outputs] = kernel.shape;
    const { df } = ACTIVATIONS[activation];
    return gradOutput.map((row, r) => {
      const d = row.map((g, j) => g * df(pre[r][j]));
      const gradInput = new Array<number>(inputs).fill(0);
      for (let j = 0; j < outputs; j++) gradients[bias.offset + j] += d[j];
      for (let i = 0; i < inputs; i++) {
        for (let j = 0; j < outputs; j++) {
          gradients[kernel.offset + i * outputs + j] += input[r][i] * d[j];
          gradInput[i] += kernel.at(i * outputs + j) * d[j];
        }
      }
      return gradInput;
    });
  };
  const down = (traces: readonly LayerTrace[], gradient: number[][]) => {
    traces.toReversed().reduce((grad, layer) => back(layer, grad), gradient);
  };
  const fromActor = back(trace.heads.actor, gradOutputs);
  const fromCritic = back(
    trace.heads.critic,
    gradValues.map((g) => [g]),
  );
  const isShared = spec.network.kind === 'mlp' && spec.network.shared;
  if (isShared)
    down(
      trace.hidden[0],
      fromActor.map((row, r) => row.map((g, j) => g + fromCritic[r][j])),
    );
  else {
    down(trace.hidden[0], fromActor);
    down(trace.hidden[1], fromCritic);
  }
  return gradients;
}
