/** What the module exports. It has no state of its own: every address is passed in, so any number of threads share one memory. */
export { act, values, packObservations, sampleBlock, writeValues } from './policy';
export { prepareDistribution } from './distribution';
export { forward, backward, transposeKernels } from './network';
export { recurrentForward, recurrentBackward } from './recurrent';
export { multiply } from './multiply';
export { outerProduct, columnSums } from './outer-product';
export { transpose } from './transpose';
export { gatherObservations, gatherWords, gatherBytes, gatherScaled, scatterWords, scatterBytes } from './gather';
export { reduceSlice, adamSlice, blendSlice } from './optimizer';
export { applyActivation, applyDerivative } from './activation';
export { sampleSquashed, flowBackSquashed } from './squashed-gaussian';
export { quantileHuber } from './quantile-huber';
export { softmax } from './softmax';
export { scaleByOuter } from './parameter-noise';
export { mathTable } from './math';
export { peak } from './peak';
