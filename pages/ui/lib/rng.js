// Seeded normal draws in the browser: the same numbers as torch.randn on the CPU with the same seed.
//
// Uniforms: the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998, ACM TOMACS 8:3-30), which is also the generator
// of torch on the CPU and of numpy's RandomState. Normals: Box and Muller (1958), in torch's order: 16 uniforms of 24
// bits make 16 normals. So a student can draw the points of a picture again:
//   torch.randn(2000, 2, generator=torch.Generator().manual_seed(seed))
// Nothing here touches the page: node runs it as it is.

const LENGTH = 624;
const SHIFT = 397;
const BLOCK = 16;

/** 32-bit words of MT19937. The seed is an integer from 0 to 2³² − 1. */
export class MersenneTwister {
  constructor(seed) {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) throw new RangeError(`no seed: ${seed}`);
    this.words = new Uint32Array(LENGTH);
    this.words[0] = seed;
    for (let i = 1; i < LENGTH; i++) {
      const before = this.words[i - 1] ^ (this.words[i - 1] >>> 30);
      this.words[i] = Math.imul(before, 1812433253) + i;
    }
    this.next = LENGTH;
  }

  /** The next 624 words: each mixes its neighbour with the word 397 places on. */
  twist() {
    const w = this.words;
    for (let i = 0; i < LENGTH; i++) {
      const y = (w[i] & 0x80000000) | (w[(i + 1) % LENGTH] & 0x7fffffff);
      w[i] = w[(i + SHIFT) % LENGTH] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }

  /** An integer from 0 to 2³² − 1. */
  uint32() {
    if (this.next === LENGTH) this.twist();
    let y = this.words[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** A number in [0, 1), a multiple of 2⁻²⁴. */
  uniform() {
    return (this.uint32() & 0xffffff) / 0x1000000;
  }
}

/** Box and Muller's transform of 16 uniforms at `from`: the first eight are the radii, the others the angles. */
function boxMuller(values, from) {
  for (let i = from; i < from + BLOCK / 2; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - values[i]));
    const angle = 2 * Math.PI * values[i + BLOCK / 2];
    values[i] = radius * Math.cos(angle);
    values[i + BLOCK / 2] = radius * Math.sin(angle);
  }
}

/** `count` (at least 16) independent draws from N(0, 1) as a Float64Array. */
export function normals(seed, count) {
  if (!Number.isInteger(count) || count < BLOCK) throw new RangeError(`no count of at least ${BLOCK}: ${count}`);
  const generator = new MersenneTwister(seed);
  const values = Float64Array.from({ length: count }, () => generator.uniform());
  for (let from = 0; from + BLOCK <= count; from += BLOCK) boxMuller(values, from);
  if (count % BLOCK) {
    // torch draws the last sixteen anew when they are no whole block
    for (let i = count - BLOCK; i < count; i++) values[i] = generator.uniform();
    boxMuller(values, count - BLOCK);
  }
  return values;
}
