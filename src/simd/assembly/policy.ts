/** Acting: one call per vector step. `state` is the policy descriptor (../policy-descriptor.ts names the words). */
import { prepareDistribution, sampleRow } from './distribution';
import { gatherObservations } from './gather';
import { forward } from './network';

// @ts-ignore: decorator
@inline
function word(state: usize, index: usize): u32 {
  return load<u32>(state + (index << 2));
}

export function packObservations(state: usize, first: i32, rows: i32): void {
  const weights = <usize>word(state, 1);
  const bytes = word(state, 14) != 0;
  const stride = <usize>word(state, 3) << (bytes ? 0 : 2);
  const normalize = word(state, 15) != 0;
  gatherObservations(
    <usize>word(state, 2) + <usize>first * stride, stride, 0, rows, word(state, 13), bytes,
    normalize ? weights + word(state, 17) : 0, weights + word(state, 18), load<f32>(state + 64),
    word(state, 19), word(state, 20),
  );
}

export function writeValues(state: usize, first: i32, rows: i32): void {
  const stride = <usize>word(state, 12) << 2;
  let target = <usize>word(state, 11) + <usize>first * stride;
  const values = <usize>word(state, 27);
  for (let r = 0; r < rows; r++) {
    store<f32>(target, load<f32>(values + (<usize>r << 2)));
    target += stride;
  }
}

export function sampleBlock(state: usize, first: i32, rows: i32): void {
  const stride = <usize>word(state, 12) << 2;
  const logProbs = <usize>word(state, 10);
  const spare = <usize>word(state, 39);
  for (let r = 0; r < rows; r++) {
    sampleRow(state, first, r, logProbs != 0 ? logProbs + <usize>(first + r) * stride : spare);
  }
}

export function act(state: usize): void {
  const numRows = <i32>word(state, 0);
  const block = <i32>word(state, 40);
  const weights = <usize>word(state, 1);
  prepareDistribution(state);
  for (let first = 0; first < numRows; first += block) {
    const rows = min(block, numRows - first);
    packObservations(state, first, rows);
    forward(word(state, 21), word(state, 22), weights, rows);
    sampleBlock(state, first, rows);
    if (word(state, 11) != 0) {
      forward(word(state, 23), word(state, 24), weights, rows);
      writeValues(state, first, rows);
    }
  }
}

export function values(state: usize): void {
  const numRows = <i32>word(state, 0);
  const block = <i32>word(state, 40);
  for (let first = 0; first < numRows; first += block) {
    const rows = min(block, numRows - first);
    packObservations(state, first, rows);
    forward(word(state, 37), word(state, 38), word(state, 1), rows);
    writeValues(state, first, rows);
  }
}
