/*
 * Streams of text for the reference interpreter: Markov tables, products of powers of contexts, patterns by trying all texts. Slow, and
 * apart from `src` on purpose.
 */

export interface Markov {
  readonly tokens: readonly string[]
  /** The token that ends a text, if any. */
  readonly end: string | null
  /** Probabilities after the last token; '' at the start. */
  readonly next: Readonly<Record<string, readonly number[]>>
}

/** A table with the end token E: a row for the start of a text, and one behind every token. */
export function markov(tokens: readonly string[], rows: readonly (readonly number[])[]): Markov {
  return { tokens, end: 'E', next: Object.fromEntries(['', ...tokens].map((t, i) => [t, rows[i]!])) }
}

/** A token as a value: its text is empty where it ends a text. */
export class Tok {
  constructor(
    readonly name: string,
    readonly end: boolean,
  ) {}

  toString(): string {
    return this.end ? '' : this.name
  }
}

export class Stream {
  /** After a stop of a pattern: the tokens of which one comes next, and what was paid for them. */
  leaving: { readonly set: ReadonlySet<string>; readonly paid: number } | null = null

  constructor(
    readonly lm: Markov,
    public path: readonly string[],
    readonly prompt: number,
    readonly temperature: number,
  ) {}

  copy(): Stream {
    const copy = new Stream(this.lm, this.path, this.prompt, this.temperature)
    copy.leaving = this.leaving
    return copy
  }

  get ended(): boolean {
    return this.path.length > this.prompt && this.path.at(-1) === this.lm.end
  }

  /** p(token | this path and `more`) of every token. */
  row(more: readonly string[] = []): readonly number[] {
    const last = more.at(-1) ?? this.path.at(-1) ?? ''
    const powers = this.lm.next[last]!.map((p) => p ** (1 / this.temperature))
    const total = powers.reduce((a, b) => a + b, 0)
    const row = powers.map((p) => p / total)
    const { leaving } = this
    if (more.length > 0 || !leaving) return row
    return row.map((p, i) => (leaving.set.has(this.lm.tokens[i]!) ? p / leaving.paid : 0))
  }

  text(from = this.prompt): string {
    return textOf(this.lm, this.path.slice(from))
  }

  go(tokens: readonly string[]): void {
    if (tokens.length === 0) return
    this.path = [...this.path, ...tokens]
    this.leaving = null
  }

  /** The probability of these tokens from here. */
  prob(more: readonly string[]): number {
    if (more.length === 0) return 1
    if (this.ended || more.slice(0, -1).includes(this.lm.end as never)) return 0
    let mass = 1
    more.forEach((t, i) => {
      mass *= this.row(more.slice(0, i))[this.lm.tokens.indexOf(t)]!
    })
    return mass
  }
}

/** A product of powers of streams; a context is one of power 1. */
export class Context {
  constructor(readonly factors: readonly { readonly stream: Stream; readonly power: number }[]) {}

  static of(stream: Stream): Context {
    return new Context([{ stream, power: 1 }])
  }

  static product(a: Context, b: Context, power: number): Context {
    const powers = new Map<Stream, number>()
    const all = [...a.factors, ...b.factors.map((f) => ({ ...f, power: power * f.power }))]
    for (const f of all) powers.set(f.stream, (powers.get(f.stream) ?? 0) + f.power)
    return new Context([...powers].map(([stream, p]) => ({ stream, power: p })))
  }

  get first(): Stream {
    return this.factors[0]!.stream
  }

  get ended(): boolean {
    return this.factors.some(({ stream }) => stream.ended)
  }

  /** g of every token. */
  weights(): number[] {
    if (this.ended) return this.first.lm.tokens.map(() => 0)
    const rows = this.factors.map(({ stream }) => stream.row())
    return this.first.lm.tokens.map((t, i) => {
      const factors = this.factors.map(({ stream, power }, k) => {
        const cannot = stream.leaving && !stream.leaving.set.has(t)
        return cannot ? 0 : rows[k]![i]! ** power
      })
      return factors.includes(0) ? 0 : factors.reduce((a, b) => a * b, 1)
    })
  }

  prob(more: readonly string[]): number {
    if (more.length === 0) return 1
    const factors = this.factors.map(({ stream, power }) => {
      const p = stream.prob(more)
      const cannot = stream.ended || (stream.leaving && !stream.leaving.set.has(more[0]!))
      return cannot ? 0 : p ** power
    })
    return factors.includes(0) ? 0 : factors.reduce((a, b) => a * b, 1)
  }

  go(tokens: readonly string[]): void {
    for (const { stream } of this.factors) stream.go(tokens)
  }

  /** One of these tokens comes next; what was paid for that is divided out by the first factor that has a say. */
  leave(set: ReadonlySet<string>, mass: number): void {
    // The mass is that of the tokens themselves, whatever an earlier stop has told of them.
    const paid = this.factors.reduce((m, { stream, power }) => m * (stream.leaving?.paid ?? 1) ** power, mass)
    const bearer = this.factors.find(({ power }) => power !== 0) ?? this.factors[0]!
    for (const { stream, power } of this.factors)
      stream.leaving = { set, paid: stream === bearer.stream ? paid ** (1 / power) : 1 }
  }

  cut(text: string): string[] {
    const { lm } = this.first
    const found: string[] = []
    const byLength = lm.tokens.filter((t) => t !== lm.end).sort((a, b) => b.length - a.length)
    for (let at = 0; at < text.length; at += found.at(-1)!.length) found.push(byLength.find((t) => text.startsWith(t, at))!)
    return found
  }

  /** What a text, a token or a list of tokens adds. */
  tokensOf(value: unknown): string[] {
    if (value instanceof Tok) return [value.name]
    return Array.isArray(value) ? value.map((t) => (t as Tok).name) : this.cut(value as string)
  }
}

export function textOf(lm: Markov, path: readonly string[]): string {
  return path.filter((t) => t !== lm.end).join('')
}

/** What a pattern says about a text. */
export interface Language {
  viable(text: string): boolean
  accepts(text: string): boolean
}

/** A finite language. */
export function finite(texts: readonly string[]): Language {
  return { viable: (text) => texts.some((t) => t.startsWith(text)), accepts: (text) => texts.includes(text) }
}

/** Longest completion that is tried. */
const longest = 3

/** The language of a regular expression, by trying all short completions of a text. */
export function regular(source: string, flags: string, lm: Markov): Language {
  const whole = new RegExp(`^(?:${source})$`, flags)
  const characters = [...new Set([...lm.tokens.filter((t) => t !== lm.end).join(''), ...source.replace(/\W/g, '')])]
  const known = new Map<string, boolean>()
  const completes = (text: string, left: number): boolean =>
    whole.test(text) || (left > 0 && characters.some((c) => completes(text + c, left - 1)))
  return {
    accepts: (text) => whole.test(text),
    viable(text) {
      if (!known.has(text)) known.set(text, completes(text, longest))
      return known.get(text)!
    },
  }
}
