/** Numbers in [0, 1) from a state that advances (xorshift32): enough to choose tokens, bytes or weights that nothing depends on. */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
