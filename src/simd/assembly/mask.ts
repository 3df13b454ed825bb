/** Dropout's part of the kernels (Srivastava et al. 2014): a block [rows, columns] times a mask, element by element, in place. */

/** `z` and `mask` have strides of their own; scratch is padded to 16 columns, so whole vectors may be stored. */
export function applyMask(z: usize, ldz: usize, mask: usize, ldm: usize, rows: i32, columns: i32): void {
  const end = <usize>columns << 2;
  for (let r = 0; r < rows; r++) {
    for (let k: usize = 0; k < end; k += 16) v128.store(z + k, f32x4.mul(v128.load(z + k), v128.load(mask + k)));
    z += ldz;
    mask += ldm;
  }
}
