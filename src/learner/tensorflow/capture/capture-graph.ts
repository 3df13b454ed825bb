/** Any tfjs function as one session call: what the learner does by hand, for functions and optimizers of your own. */
import type { Tensor, TensorFlow, Variable } from '../../../policy/tensor-types.ts';
import type { GraphVariable } from './graph-nodes.ts';
import { createGraphRecorder } from './graph-recorder.ts';
import { type GraphSession, openGraphSession } from './graph-session.ts';

/** A function to capture. Runs on tensors of the examples' shapes and dtypes from then on. */
export interface CapturableFunction {
  readonly fn: (...inputs: Tensor[]) => readonly Tensor[];
  readonly examples: readonly Tensor[];
}

export interface CapturedFunctions<Name extends string> {
  /** One session call; the caller disposes of the outputs. Runs eagerly where nothing was captured. */
  run(name: Name, ...inputs: Tensor[]): Tensor[];
  /** Copies the session's values into the tf.Variables. */
  pull(): void;
  /** Copies the tf.Variables' values into the session. */
  push(): void;
  readonly captured: boolean;
  dispose(): void;
}

/**
 * Captures tfjs functions, gradients and optimizers included, into one graph with shared variables.
 *
 * The session has values of its own for every tf.Variable that exists or that the functions make (an optimizer's
 * moments): running moves those, and the tf.Variables stay as they are until `pull`. Capturing itself moves nothing.
 *
 * Traps: numbers become constants, so what changes between calls (a learning rate, a step count) must be an input or a
 * variable; so do random numbers that tfjs draws in JavaScript. Reading a value inside a function is an error.
 *
 * @param functions by name; each is run twice.
 * @param only the variables that exist and that the functions use, where it is known: others are left alone then.
 * @throws EngineError `ENGINE_CAPTURE` naming the operation that cannot be captured.
 * On other backends than the native one the functions run eagerly and `pull` and `push` do nothing.
 */
export function captureGraph<Name extends string>(
  tf: TensorFlow,
  functions: Readonly<Record<Name, CapturableFunction>>,
  only?: readonly Variable[],
): CapturedFunctions<Name> {
  if (tf.getBackend() !== 'tensorflow') return eagerFunctions(tf, functions);
  const initial = runOnce(tf, Object.values(functions), only);
  const recorder = createGraphRecorder(tf);
  let session: GraphSession;
  const declared = initial.map(({ variable }) => recorder.variable(variable));
  try {
    const recorded = new Map(
      (Object.entries(functions) as [Name, CapturableFunction][]).map(([name, { fn, examples }]) => [
        name,
        recorder.record(name, fn, examples),
      ]),
    );
    session = openGraphSession(tf, recorder);
    const push = () => writeVariables(session, declared);
    push();
    return {
      captured: true,
      run(name, ...inputs) {
        const fn = recorded.get(name);
        if (fn === undefined) throw new TypeError(`Expected a captured function, got \`${name}\`.`);
        return session.runTensors(fn, inputs);
      },
      pull() {
        for (const variable of declared) {
          const { standIn } = variable;
          const values = session.read(variable);
          tf.tidy(() => standIn.assign(tf.tensor(values, standIn.shape, standIn.dtype)));
        }
      },
      push,
      dispose: () => session.dispose(),
    };
  } finally {
    tf.dispose(initial.map(({ value }) => value));
  }
}

function writeVariables(session: GraphSession, variables: readonly GraphVariable[]): void {
  if (variables.length === 0) return;
  session.write(
    variables.map((variable) => ({
      variable,
      values: variable.standIn.dataSync().slice() as Float32Array,
    })),
  );
}

/**
 * Runs the functions once, since optimizers make their variables only then, and puts every variable back to what it
 * was, or to what it was made with.
 */
function runOnce(
  tf: TensorFlow,
  functions: readonly CapturableFunction[],
  only?: readonly Variable[],
): { variable: Variable; value: Tensor }[] {
  const engine = tf.engine();
  const known = only ?? (Object.values(engine.state.registeredVariables) as Variable[]);
  const initial = known.map((variable) => ({ variable, value: tf.clone(variable) as Tensor }));
  const makeVariable = engine.makeVariable.bind(engine);
  engine.makeVariable = (...args: Parameters<typeof makeVariable>) => {
    const variable = makeVariable(...args);
    initial.push({ variable: variable as Variable, value: tf.keep(tf.clone(variable)) });
    return variable;
  };
  try {
    for (const { fn, examples } of functions) tf.dispose(tf.tidy(() => fn(...examples) as Tensor[]));
  } finally {
    engine.makeVariable = makeVariable;
  }
  for (const { variable, value } of initial) variable.assign(value);
  return initial;
}

/** The same functions, operation by operation. What they make and do not return is freed. */
export function eagerFunctions<Name extends string>(
  tf: TensorFlow,
  functions: Readonly<Record<Name, CapturableFunction>>,
): CapturedFunctions<Name> {
  return {
    captured: false,
    run: (name, ...inputs) => tf.tidy(() => [...functions[name].fn(...inputs)]),
    pull() {},
    push() {},
    dispose() {},
  };
}
