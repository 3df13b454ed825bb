/** base^exponent for a count of steps, 1 at least: by multiplication alone, whose bits are the same everywhere; `Math.pow` is not. */
export function discountOver(base: number, numSteps: number): number {
  let result = base;
  for (let k = 1; k < numSteps; k++) result *= base;
  return result;
}
