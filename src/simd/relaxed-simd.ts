/** Whether this engine runs relaxed SIMD (fused multiply-add); no Node API here. */
import { webAssembly } from '../memory/web-assembly.ts';

// the smallest module with a relaxed instruction: (func (result v128) (f32x4.relaxed_madd 0 0 0))
const RELAXED_PROBE = (() => {
  const zero = [0xfd, 0x0c, ...new Array<number>(16).fill(0)]; // v128.const 0
  const body = [0, ...zero, ...zero, ...zero, 0xfd, 0x85, 0x02, 0x0b];
  const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const code = [0x0a, body.length + 2, 1, body.length, ...body];
  return new Uint8Array([...header, 0x01, 5, 1, 0x60, 0, 1, 0x7b, 0x03, 2, 1, 0, ...code]);
})();

export function hasRelaxedSimd(): boolean {
  return webAssembly.validate(RELAXED_PROBE);
}
