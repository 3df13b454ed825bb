/** Transposed kernels: a gradient goes back through a layer with the forward product on the transposed weights. */

/** t [columns, inputs] (stride ldt) = w [inputs, columns] transposed, 4 x 4 blocks; `ldt` bytes >= inputs rounded up to 4. */
export function transpose(w: usize, ldw: usize, inputs: i32, columns: i32, t: usize, ldt: usize): void {
  for (let i = 0; i < inputs; i += 4) {
    const r0 = w + <usize>i * ldw;
    // a row past the end is read again instead: its lanes land in the padding
    const r1 = i + 1 < inputs ? r0 + ldw : r0;
    const r2 = i + 2 < inputs ? r1 + ldw : r0;
    const r3 = i + 3 < inputs ? r2 + ldw : r0;
    const target = t + (<usize>i << 2);
    for (let j = 0; j < columns; j += 4) {
      const offset = <usize>j << 2;
      const v0 = v128.load(r0 + offset);
      const v1 = v128.load(r1 + offset);
      const v2 = v128.load(r2 + offset);
      const v3 = v128.load(r3 + offset);
      const lo01 = v128.shuffle<f32>(v0, v1, 0, 4, 1, 5);
      const hi01 = v128.shuffle<f32>(v0, v1, 2, 6, 3, 7);
      const lo23 = v128.shuffle<f32>(v2, v3, 0, 4, 1, 5);
      const hi23 = v128.shuffle<f32>(v2, v3, 2, 6, 3, 7);
      const row = target + <usize>j * ldt;
      v128.store(row, v128.shuffle<f32>(lo01, lo23, 0, 1, 4, 5));
      if (j + 1 < columns) v128.store(row + ldt, v128.shuffle<f32>(lo01, lo23, 2, 3, 6, 7));
      if (j + 2 < columns) v128.store(row + 2 * ldt, v128.shuffle<f32>(hi01, hi23, 0, 1, 4, 5));
      if (j + 3 < columns) v128.store(row + 3 * ldt, v128.shuffle<f32>(hi01, hi23, 2, 3, 6, 7));
    }
  }
}
