/** The kernels' functions, as every thread calls them. */
import type { OpenCategorical } from './native-categorical.ts';

/** Exports of src/simd/assembly; addresses and strides in bytes unless it says otherwise there. */
export interface Kernels {
  act(descriptor: number): void;
  values(descriptor: number): void;
  packObservations(descriptor: number, first: number, rows: number): void;
  prepareDistribution(descriptor: number): void;
  sampleBlock(descriptor: number, first: number, rows: number): void;
  writeValues(descriptor: number, first: number, rows: number): void;
  forward(layers: number, count: number, parameters: number, rows: number): void;
  /**
   * From the last layer to the first: gradients of weights into the slab (accumulate 1: added to it), of inputs into the records'
   * `gradInput`. `gradients` 0: of inputs alone, a third of the work less.
   */
  backward(layers: number, count: number, gradients: number, rows: number, accumulate: number): void;
  transposeKernels(layers: number, count: number, parameters: number): void;
  /**
   * Hidden states of `steps` steps of `rows` sequences through one LSTM or GRU; recurrent-program.ts writes the record. Rows of a step
   * are padded to a multiple of four.
   */
  recurrentForward(cell: number, parameters: number, steps: number, rows: number): void;
  /** Back through time: gradients of kernels and biases into the slab (accumulate 1: added to it). After `recurrentForward` of the same rows. */
  recurrentBackward(cell: number, gradients: number, steps: number, rows: number, accumulate: number): void;
  multiply(
    a: number,
    lda: number,
    w: number,
    ldw: number,
    bias: number,
    depth: number,
    c: number,
    ldc: number,
    rows: number,
    columns: number,
    accumulate: number,
  ): void;
  outerProduct(
    a: number,
    lda: number,
    d: number,
    ldd: number,
    rows: number,
    inputs: number,
    g: number,
    ldg: number,
    columns: number,
    accumulate: number,
  ): void;
  columnSums(d: number, ldd: number, rows: number, columns: number, g: number, accumulate: number): void;
  transpose(w: number, ldw: number, inputs: number, columns: number, t: number, ldt: number): void;
  gatherObservations(
    base: number,
    stride: number,
    indices: number,
    rows: number,
    size: number,
    bytes: number,
    mean: number,
    inverseStd: number,
    clip: number,
    target: number,
    targetStride: number,
  ): void;
  gatherWords(base: number, indices: number, rows: number, size: number, target: number): void;
  gatherBytes(base: number, indices: number, rows: number, size: number, target: number): void;
  /** Dense rows to rows `indices` of the target. */
  scatterWords(base: number, indices: number, rows: number, size: number, target: number): void;
  scatterBytes(base: number, indices: number, rows: number, size: number, target: number): void;
  gatherScaled(
    base: number,
    indices: number,
    rows: number,
    shift: number,
    scale: number,
    target: number,
  ): void;
  reduceSlice(slab: number, slabBytes: number, numSlabs: number, bytes: number): number;
  adamSlice(
    p: number,
    g: number,
    m: number,
    v: number,
    bytes: number,
    scale: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    stepSize: number,
    rootCorrection: number,
    epsilon: number,
    /** 1 - learningRate * weightDecay, decoupled as in AdamW; 1 = none. */
    keep: number,
  ): void;
  /** target += tau (source - target), over slices as Adam's; tau 1 copies. */
  blendSlice(target: number, source: number, bytes: number, tau: number): void;
  applyActivation(kind: number, c: number, ldc: number, rows: number, columns: number, pre: number): void;
  applyDerivative(
    kind: number,
    d: number,
    ldd: number,
    y: number,
    ldy: number,
    pre: number,
    rows: number,
    columns: number,
  ): void;
  /**
   * Rows of a tanh-squashed Gaussian with a deviation of its own (assembly/squashed-gaussian.ts has the equations): parameters [R, 2A]
   * (means, then log deviations) and noise [R, A] give actions [R, A], log-probabilities [R], and for the way back deviations and
   * slopes 1 - a^2 [R, A]; `scratch` [R, A]. All f32, dense. A row's bits depend on that row alone.
   */
  sampleSquashed(
    parameters: number,
    noise: number,
    rows: number,
    size: number,
    actions: number,
    logProbs: number,
    deviations: number,
    slopes: number,
    scratch: number,
  ): void;
  /** Gradients [R, 2A] from dL/da [R, A] f32 and dL/dlog pi, one number for all rows; after `sampleSquashed` of the same rows. */
  flowBackSquashed(
    parameters: number,
    noise: number,
    rows: number,
    size: number,
    actions: number,
    deviations: number,
    slopes: number,
    byActions: number,
    byLogProb: number,
    gradients: number,
  ): void;
  /**
   * mean over quantiles i and targets j of |tau_i - 1(u < 0)| Huber(u), u = y_j - theta_i, for each row: losses [R] and gradient
   * [R, size] = scale dloss/dtheta. predicted [R, size], the first `numTargets` of targets [R, ...]; f32, strides in bytes.
   */
  quantileHuber(
    predicted: number,
    predictedStride: number,
    targets: number,
    targetsStride: number,
    rows: number,
    size: number,
    numTargets: number,
    scale: number,
    gradient: number,
    gradientStride: number,
    losses: number,
  ): void;
  /**
   * Softmax of rows of values [R, columns] into probabilities (may be the same), and log sum e^x of each row [R]; dense f32. In
   * WebAssembly alone.
   */
  softmax(values: number, rows: number, columns: number, probabilities: number, logSums: number): void;
  /** out_ij = base_ij + a_ij (row_i column_j), dense [inputs, outputs]; `base` 0 = nothing, `rows` 0 = all 1, `out` may be `base`. */
  scaleByOuter(
    out: number,
    base: number,
    a: number,
    rows: number,
    columns: number,
    inputs: number,
    outputs: number,
  ): void;
  /** Categoricals by machine code; absent in WebAssembly, where TypeScript computes them. */
  readonly openCategorical?: OpenCategorical;
  mathTable(kind: number, source: number, target: number, count: number): void;
  /** 24 operations for each lane of a vector a turn; what it returns keeps it from being left out. */
  peak(turns: number): number;
}
