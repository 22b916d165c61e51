import { codePointLimit, type Partition } from './code-points.js'

/** A tree that reads one character byte by byte: ranges of bytes, each to a smaller tree or, as a number, to a class of code points. */
export interface Utf8Node {
  readonly edges: readonly Utf8Edge[]
}
export interface Utf8Edge {
  readonly min: number
  readonly max: number
  readonly to: Utf8Node | number
}

/**
 * The tree over the classes of a partition. Equal parts are one object. What is no UTF-8 (overlong forms, surrogates, code points above
 * U+10FFFF) has no way through it.
 */
export function utf8Tree({ starts, classes }: Partition): Utf8Node {
  const known = new Map<string, Utf8Node>()
  const numbers = new Map<Utf8Node, number>()

  /** The class of all code points from `first` up to `end`; undefined when they differ. */
  const classOf = (first: number, end: number, shortest: number): number | undefined => {
    if (end <= shortest || first >= codePointLimit) return -1
    if (first < shortest || end > codePointLimit) return undefined
    let low = 0
    for (let high = starts.length; high - low > 1; ) {
      const middle = (low + high) >> 1
      if (starts[middle]! <= first) low = middle
      else high = middle
    }
    return (starts[low + 1] ?? codePointLimit) >= end ? classes[low]! : undefined
  }
  /** The tree for the continuation bytes of the code points from `first` on, `left` bytes of them; -1 when no class is below it. */
  const below = (first: number, left: number, shortest: number): Utf8Node | number => {
    const uniform = classOf(first, first + 64 ** left, shortest)
    if (uniform !== undefined && (left === 0 || uniform === -1)) return uniform
    return node(0x80, 0xbf, (byte) =>
      uniform !== undefined && left > 1 && byte > 0x80
        ? undefined
        : below(first + (byte - 0x80) * 64 ** (left - 1), left - 1, shortest),
    )
  }
  /** A node with the edges that `to` gives; undefined repeats the edge before. */
  const node = (min: number, max: number, to: (byte: number) => Utf8Node | number | undefined): Utf8Node | number => {
    const edges: { min: number; max: number; to: Utf8Node | number }[] = []
    let last: Utf8Node | number = -1
    for (let byte = min; byte <= max; byte++) {
      const target: Utf8Node | number = to(byte) ?? last
      const edge = edges.at(-1)
      if (target !== -1 && edge?.to === target && edge.max === byte - 1) edge.max = byte
      else if (target !== -1) edges.push({ min: byte, max: byte, to: target })
      last = target
    }
    if (edges.length === 0) return -1
    const key = edges
      .map((edge) => `${edge.min}-${edge.max}:${typeof edge.to === 'number' ? edge.to : `n${numbers.get(edge.to)}`}`)
      .join()
    let found = known.get(key)
    if (!found) {
      known.set(key, (found = { edges }))
      numbers.set(found, numbers.size)
    }
    return found
  }
  const root = node(0, 0xf4, (byte) => {
    if (byte < 0x80) return classOf(byte, byte + 1, 0)!
    if (byte < 0xc2) return -1
    if (byte < 0xe0) return below((byte & 0x1f) << 6, 1, 0x80)
    if (byte < 0xf0) return below((byte & 0x0f) << 12, 2, 0x800)
    return below((byte & 0x07) << 18, 3, 0x10000)
  })
  return typeof root === 'number' ? { edges: [] } : root
}

/** Bytes that no node of a tree tells apart share a column. */
export function utf8Columns(root: Utf8Node): { readonly columns: Uint8Array; readonly width: number } {
  const columns = new Uint8Array(256)
  let width = 1
  const targets = new Map<Utf8Node | number | undefined, number>()
  const seen = new Set<Utf8Node>()
  const waiting = [root]
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    const row = new Array<Utf8Node | number | undefined>(256)
    for (const { min, max, to } of node.edges) {
      row.fill(to, min, max + 1)
      if (typeof to !== 'number') waiting.push(to)
    }
    const pairs = new Map<number, number>()
    for (let byte = 0; byte < 256; byte++) {
      let target = targets.get(row[byte])
      if (target === undefined) targets.set(row[byte], (target = targets.size))
      const pair = target * 256 + columns[byte]!
      const column = pairs.get(pair) ?? pairs.size
      pairs.set(pair, column)
      columns[byte] = column
    }
    width = pairs.size
  }
  return { columns, width }
}
