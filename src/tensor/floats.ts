/** bfloat16 is the upper half of a 32-bit float. */
export function widenBrainFloats(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16
  return new Float32Array(bits.buffer)
}

/** 16-bit floats to 32-bit ones, exactly. */
export function widenHalves(halves: Uint16Array): Float32Array {
  const table = halfTable()
  const wide = new Float32Array(halves.length)
  for (let i = 0; i < halves.length; i++) wide[i] = table[halves[i]!]!
  return wide
}

let halves: Float32Array | undefined

/** The 32-bit float of every 16-bit one, by its bits. */
export function halfTable(): Float32Array {
  halves ??= new Float32Array(Uint32Array.from({ length: 1 << 16 }, (_, half) => widenHalf(half)).buffer)
  return halves
}

/** The bits of the 32-bit float equal to a 16-bit one (1 sign, 5 exponent, 10 fraction bits). */
function widenHalf(half: number): number {
  const sign = (half >>> 15) << 31
  const exponent = (half >>> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return (sign | 0x7f800000 | (fraction << 13)) >>> 0
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0
  if (fraction === 0) return sign >>> 0
  // A subnormal half is a normal float: move the leading one to the hidden bit.
  const shift = Math.clz32(fraction) - 21
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13)) >>> 0
}
