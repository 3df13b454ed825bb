/**
 * NumPy's `standard_normal`, draw for draw: the ziggurat of G. Marsaglia and W. Tsang, "The Ziggurat Method for Generating Random Variables" (2000), with 256 layers
 * of equal area under exp(-x^2 / 2) and 52 bits for the place in a layer. NumPy has the layers as a table, here they are computed: draws differ by 1e-14 at most.
 */
const NUM_LAYERS = 256;
/** Right end of the last layer but the tail's. */
const TAIL = 3.6541528853610088;
/** Of each layer: TAIL exp(-TAIL^2 / 2) + the tail's own area. */
const LAYER_AREA = 0.004928673233974658;
const TWO_52 = 2 ** 52;

const density = (x: number) => Math.exp(-0.5 * x * x);

/** Layer 0 is the lowest, with the tail; the others go from the narrowest, 1, to the widest, 255. */
const width = new Float64Array(NUM_LAYERS); // [256] f64, right end of each layer
const height = new Float64Array(NUM_LAYERS); // [256] f64, density there
const inside = new Float64Array(NUM_LAYERS); // [256] f64, places, of 2^52, which lie under the curve for certain

width[0] = LAYER_AREA / density(TAIL);
width[NUM_LAYERS - 1] = TAIL;
for (let k = NUM_LAYERS - 2; k >= 1; k--)
  width[k] = Math.sqrt(-2 * Math.log(LAYER_AREA / width[k + 1] + density(width[k + 1])));
height[0] = 1;
for (let k = 1; k < NUM_LAYERS; k++) height[k] = density(width[k]);
inside[0] = Math.floor((TAIL / width[0]) * TWO_52);
for (let k = 2; k < NUM_LAYERS; k++) inside[k] = Math.floor((width[k - 1] / width[k]) * TWO_52);

/** The last 64 bits of a generator. */
interface Uint64 {
  readonly high: number;
  readonly low: number;
}

/**
 * One standard normal.
 *
 * @param draw puts 64 new bits into `bits`: the lowest 8 choose the layer, the next one the sign, the 52 above it the place.
 * @param random uniform in [0, 1), from the same generator.
 */
export function ziggurat(draw: () => void, bits: Uint64, random: () => number): number {
  for (;;) {
    draw();
    const { high, low } = bits;
    const layer = low & 0xff;
    const isNegative = ((low >>> 8) & 1) === 1;
    // Bits 9 to 60.
    const place = (high & 0x1fffffff) * 2 ** 23 + (low >>> 9);
    const x = place * (width[layer] / TWO_52);
    if (place < inside[layer]) return isNegative ? -x : x;
    if (layer === 0) {
      const beyond = drawTail(random);
      return (Math.floor(place / 256) & 1) === 1 ? -beyond : beyond;
    }
    if ((height[layer - 1] - height[layer]) * random() + height[layer] < density(x))
      return isNegative ? -x : x;
  }
}

function drawTail(random: () => number): number {
  for (;;) {
    const x = -(1 / TAIL) * Math.log1p(-random());
    const y = -Math.log1p(-random());
    if (2 * y > x * x) return TAIL + x;
  }
}
