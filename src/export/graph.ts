/**
 * A policy as a short list of operations over one row, from the raw observation to the action: what every export writes in its own words.
 * Values are numbered by the node that makes them; a batch is the same for many rows.
 */
import type { Activation } from '../policy/policy-spec.ts';

/** `bool` for masks, `int32` for discrete actions. */
export type ValueDtype = 'float32' | 'uint8' | 'bool' | 'int32';

export type UnaryFunction = Exclude<Activation, 'identity'> | 'exp' | 'sqrt' | 'square';

/** What goes in; `state` is what a recurrent policy remembers, 0 where an episode begins. */
export type InputName = 'observation' | 'mask' | 'state';

export type Operation =
  | { readonly op: 'input'; readonly name: InputName }
  /** To float32. */
  | { readonly op: 'cast' }
  /** With constants, element by element or one for all. */
  | {
      readonly op: 'add' | 'sub' | 'mul' | 'max' | 'min';
      readonly constants: Float32Array; // [size] or [1] f32
    }
  | { readonly op: 'unary'; readonly function: UnaryFunction }
  /** Of two rows of the same size, element by element. */
  | { readonly op: 'combine'; readonly how: 'add' | 'sub' | 'mul' }
  /** x W + b, W [in, out]. */
  | { readonly op: 'dense'; readonly kernel: Float32Array; readonly bias: Float32Array }
  /** (x - mean) / sqrt(variance + 1e-5) * gain + shift, over the row. */
  | { readonly op: 'layer-norm'; readonly gain: Float32Array; readonly shift: Float32Array }
  /** Valid padding, channels last; kernel [height, width, in, filters]. */
  | {
      readonly op: 'conv';
      readonly kernel: Float32Array;
      readonly kernelShape: readonly [number, number, number, number];
      readonly bias: Float32Array;
      readonly stride: number;
      readonly inputShape: readonly [number, number, number];
      readonly outputShape: readonly [number, number, number];
    }
  | { readonly op: 'slice'; readonly begin: number }
  /** -1e8 where the second input is 0. */
  | { readonly op: 'mask' }
  | { readonly op: 'softmax' }
  /** [choices, atoms]: softmax over each choice's atoms, times `support`, summed. */
  | { readonly op: 'expectation'; readonly support: Float32Array }
  /** Index of the first largest, plus `start`. */
  | { readonly op: 'arg-max'; readonly start: number }
  /** 1 where x > 0, else 0. */
  | { readonly op: 'positive' }
  | { readonly op: 'concat' };

export type GraphNode = Operation & {
  /** Numbers of the nodes whose values it reads. */
  readonly inputs: readonly number[];
  /** Elements of a row of its value. */
  readonly size: number;
  readonly dtype: ValueDtype;
};

/**
 * What it gives, by name: `action` always; `logits`, `probabilities`, `mean`, `std`, `actionValues`, `value` where the policy has them, and
 * `nextState`, what goes in as `state` with the next observation of the same episode.
 */
export type OutputName =
  | 'action'
  | 'logits'
  | 'probabilities'
  | 'mean'
  | 'std'
  | 'actionValues'
  | 'value'
  | 'nextState';

export interface PolicyGraph {
  /** In an order in which each reads earlier ones only. */
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly { readonly name: OutputName; readonly node: number }[];
  readonly observationSize: number;
  readonly observationDtype: 'float32' | 'uint8';
  /** 0 = no mask. */
  readonly maskSize: number;
  /** Of what a recurrent policy remembers; 0 = nothing. */
  readonly stateSize: number;
}
