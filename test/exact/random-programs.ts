import type { Markov } from './reference-streams.js'

/**
 * Random programs from a tape of numbers, each of which settles one choice; an exhausted tape makes the simplest choice, so that a
 * shorter tape is a smaller program and a failure shrinks.
 *
 * Every program checks, ends, and has few outcomes: draws are paid from a budget.
 */
export interface RandomProgram {
  readonly source: string
  readonly models: Readonly<Record<string, Markov>>
}

/** `control`: calls, branches, loops and plain spans. `streams`: patterns, requirements, proposals and products of two models. */
export type Kind = 'control' | 'streams'

/** Most outcomes of one particle. */
const OUTCOMES = 32

export function randomProgram(tape: readonly number[], kind: Kind): RandomProgram {
  return kind === 'control' ? new Writer(tape).program() : new Writer(tape).streams()
}

class Writer {
  private at = 0
  private outcomes = 1
  private loops = 0
  private fresh = 0

  constructor(private readonly tape: readonly number[]) {}

  program(): RandomProgram {
    const lm = this.markov()
    const functions = this.functions()
    this.outcomes = 4 // the first draw and the last
    const body = Array.from({ length: 3 + this.choose(5) }, () => this.statement(2)).join('\n')
    const script = `let s = lm("${this.pick(['', 'a', 'b'])}")
let u = 0
let v = 1
let w = 0
let d = categorical([${this.pick(['0.3, 0.7', '2, 1', '1, 1, 1'])}])
let e = uniform(0..${this.pick(['1', '2'])})
sample u ~ categorical([${this.pick(['0.5, 0.5', '0.2, 0.6', '3, 1'])}])
${this.pick([`twist ${this.twist('u')}`, 'factor 0.3 + u', ''])}
${body}
sample v ~ categorical([1, 1 + u])
factor 0.2 + (u + v + w) % 3
return "{u} {v} {w} {s.text} {s.ended}"
`
    const used = Object.keys(functions).filter((name) => script.includes(`${name}(`))
    return { source: `model lm = "table"\n${used.map((name) => functions[name]).join('\n')}\n${script}`, models: { lm } }
  }

  /** Two models over the same tokens, and a stream of each. */
  streams(): RandomProgram {
    const models = { lm: this.markov(0), small: this.markov(1) }
    this.outcomes = 2
    const body = Array.from({ length: 2 + this.choose(3) }, () => this.onStreams()).join('\n')
    const source = `model lm = "table"
model small = "table"
let s = lm("${this.pick(['', 'a'])}"${this.pick(['', ', temperature: 0.7'])})
let q = small("${this.pick(['', 'b'])}")
let p = s * q
let u = 0
${body}
sample v ~ categorical([1, 1 + u])
factor 0.2 + (u + v + s.text.length) % 3
return "{u} {v} {s.text} {q.text} {s.ended}"
`
    return { source, models }
  }

  private onStreams(): string {
    const token = `t${this.fresh++}`
    switch (this.choose(10)) {
      case 0: {
        if (!this.pays(3)) return ''
        const where = this.pick(['', `where ${token} != "a"`, `where s.prob("b") < 0.6`])
        const via = this.pick(['', 'via small', 'via s', 'via small("b")'])
        const then = this.pick([
          '',
          `observe ${token} ~ q`,
          `observe ${token} ~ s`,
          `observe ${token} ~ q\nobserve ${token} ~ q ^ 0.5`,
        ])
        return `sample ${token} ~ ${this.pick(['s', 'p', 's ^ 0.5'])} ${where} ${via}\n${then}`
      }
      case 1:
        return this.pick(['observe "a" ~ s', 'observe "b" ~ p', 'observe "a" ~ p ^ 0.5', 'force "b" ~ s', 'observe "a" ~ q'])
      case 2:
        return `factor ${this.pick(['0.1 + s.prob("a")', '0.1 + p.prob("ab")', '0.3 + u', '0.2 + s.fork().prob("b")'])}`
      case 3:
        return `twist ${this.twist('s.text.length')}`
      default:
        return this.onSpan(`x${this.fresh++}`)
    }
  }

  private onSpan(name: string): string {
    const limit = this.choose(2) + 1
    if (!this.pays(limit === 1 ? 3 : 6)) return ''
    const bounds = this.pick([
      `for up to ${limit} tokens`,
      `for ${limit} tokens`,
      `until "b" for up to ${limit} tokens`,
      `within ${limit} tokens until /a$/`,
      'matching /a?b?/',
      `matching /[ab]{1,2}/ for up to ${limit} tokens`,
      `matching /b*/ for up to ${limit} tokens`,
      `matching /(ab)*/ within ${limit} tokens`,
      `matching /[ab]*/ until "ab" for up to ${limit} tokens`,
    ])
    const where = this.pick(['', '', `where not ${name}.contains("bb")`, `where ${name} != "a"`, 'where s.prob("b") < 0.6'])
    const via = this.pick(['', '', 'via small', 'via s', 'via small in blocks of 1', 'via small in blocks of 2'])
    const twist = this.pick(['', '', `twisted by ${this.twist(`${name}.length`)}`])
    const every = this.pick(['', '', 'resampling every 2 tokens'])
    const use = this.pick(['', `factor 0.3 + ${name}.count("a")`, `u = ${name}.length`])
    const from = this.pick(['s', 's', 'p', 's ^ 0.5'])
    return `sample ${name} ~ ${from} ${bounds} ${where} ${via} ${twist} ${every}\n${use}`
  }

  private choose(n: number): number {
    return (this.tape[this.at++] ?? 0) % n
  }

  private pick<T>(items: readonly T[]): T {
    return items[this.choose(items.length)]!
  }

  /** `least`: the least weight of a token; above 0 the model may propose for any other. */
  private markov(least = 0): Markov {
    const tokens = ['a', 'b', 'E']
    const row = () => {
      const weights = [1 + this.choose(9), least + this.choose(9), least + this.choose(4)]
      const total = weights.reduce((a, b) => a + b, 0)
      return weights.map((x) => x / total)
    }
    return { tokens, end: 'E', next: { '': row(), a: row(), b: row(), E: [1, 0, 0] } }
  }

  /** Three functions with effects, one of which calls itself, and one without. */
  private functions(): Record<string, string> {
    const leaf = `fn leaf(n: Int) -> Int {
  ${this.pick(['', `twist ${this.twist('n')}`])}
  sample x ~ categorical([${this.pick(['0.5, 0.5', '0.2, 0.7', '1 + n, 2'])}])
  ${this.pick(['', `twist ${this.twist('x')}`, 'factor 0.4 + x'])}
  ${this.pick(['', 'if x == 1 { return 3 }', 'if n > 0 and x == 0 { return 2 }'])}
  ${this.pick(['', 'factor 0.3 + 0.5 * x', 'untwist'])}
  return x
}`
    const down = `fn down(n: Int, story: Context) -> Int {
  if n <= 0 { return 0 }
  ${this.pick(['', `twist ${this.twist('n')}`])}
  sample x ~ categorical([0.6, 0.4])
  ${this.pick(['factor 0.2 + x', 'observe "a" ~ story', 'require x == 1 or n == 1', `twist ${this.twist('x')}`])}
  return ${this.pick(['x + down(n - 1, story)', 'down(n - 1, story) * 2 + x', 'if x == 0 { 1 } else { 1 + down(n - 1, story) }'])}
}`
    const yes = `fn yes(n: Int) -> Bool {
  sample x ~ bernoulli(${this.pick(['0.5', '0.8'])})
  ${this.pick(['', 'factor if x { 0.9 } else { 0.4 }', `twist if x { ${this.twist('n')} } else { 1.3 }`])}
  return x
}`
    const likes = `fn likes(story: Context, n: Int) -> Float {
  let total = 0.1
  for i in 1..2 {
    if i > n { break }
    total = total + story.prob("b")
  }
  return total + story.prob("a")
}`
    return { leaf, down, yes, likes }
  }

  private statements(most: number, depth: number): string {
    const lines: string[] = []
    const count = this.choose(most + 1)
    for (let i = 0; i < count; i++) lines.push(this.statement(depth))
    return lines.filter((line) => line !== '').join('\n')
  }

  private pays(outcomes: number): boolean {
    const turns = 2 ** this.loops
    if (this.outcomes * outcomes ** turns > OUTCOMES) return false
    this.outcomes *= outcomes ** turns
    return true
  }

  private statement(depth: number): string {
    const name = this.pick(['u', 'v', 'w'])
    switch (this.choose(depth > 0 ? 20 : 14)) {
      case 0:
        if (this.choose(2) === 0) return this.named(name)
        return this.pays(2)
          ? `sample ${name} ~ categorical([${this.pick(['0.3, 0.7', '0.9, 0.1', `1 + ${this.int()}, 2`])}])`
          : ''
      case 1:
        return `factor ${this.weight()}`
      case 2:
      case 3:
        return `twist ${this.twist(this.int())}`
      case 4: {
        const token = `t${this.fresh++}`
        return this.pays(3) ? `sample ${token} ~ s\n${this.pick(['', `factor if ${token} == "a" { 0.5 } else { 1.5 }`])}` : ''
      }
      case 5:
      case 6:
        return this.span()
      case 7:
        return this.pick([
          'observe "a" ~ s',
          'observe "ab" ~ s',
          'force "b" ~ s',
          'observe "" ~ s',
          'observe 1 ~ categorical([0.4, 0.6])',
        ])
      case 8:
        return this.effectful(name)
      case 9:
        return this.effectful(name)
      case 10:
        return `${name} = ${this.int()} % 4`
      case 11:
        return this.pick(['untwist', 'resample'])
      case 12:
        return `require ${this.condition()}`
      case 13:
        return `factor ${this.pick(['0.1 + s.prob("a")', 'likes(s, u)', '["a", "b"].map(x => s.prob(x) + 0.1).sum()', '0.2 + s.fork().prob("ba")'])}`
      case 14:
      case 15:
        return `if ${this.condition()} {\n${this.statements(2, depth - 1)}\n} else {\n${this.statements(2, depth - 1)}\n}`
      case 16:
      case 17: {
        const i = `i${this.fresh++}`
        this.loops++
        const body = this.statements(3, depth - 1)
        const way = this.pick(['', `if ${this.condition()} { break }`, `if ${this.condition()} { continue }`])
        const rest = this.statements(1, depth - 1)
        this.loops--
        return `for ${i} in 1..2 {\n${[body, way, rest].join('\n')}\n}`
      }
      case 18: {
        const n = `n${this.fresh++}`
        this.loops++
        const body = this.statements(2, depth - 1)
        this.loops--
        return `let ${n} = 0\nwhile ${n} < 2 and ${this.condition()} {\n${n} += 1\n${body}\n}`
      }
      default:
        return `if ${this.condition()} { ${this.pick(['', 'factor 0.7\n'])}return "early {u} {s.text}" }`
    }
  }

  /** A value of a distribution that has a name, under a requirement, by a proposal, or observed on another. */
  private named(name: string): string {
    if (!this.pays(3)) return ''
    const where = this.pick(['', `where ${name} != 1`, `where ${name} < 2 or u == 1`, `where s.prob("a") * ${name} < 0.3`])
    const via = this.pick(['', '', 'via uniform(0..2)'])
    return `sample ${name} ~ d ${via} ${where}\n${this.pick(['', `observe ${name} ~ e`, `observe ${name} ~ d`])}`
  }

  private span(): string {
    const limit = this.choose(2) + 1
    if (!this.pays(limit === 1 ? 3 : 7)) return ''
    const name = `x${this.fresh++}`
    const [words, until] = this.pick([
      ['for up to', ''],
      ['for', ''],
      ['for up to', 'until "b"'],
      ['within', 'until "b"'],
      ['for up to', 'until /ab?/'],
      ['within', 'until /a$/'],
    ])
    const twist = this.pick(['', `twisted by ${this.twist(`${name}.length`)}`, `twisted by 0.1 + s.prob("a")`])
    const every = this.pick(['', 'resampling every 2 tokens'])
    const use = this.pick(['', `factor 0.3 + ${name}.count("a")`, `u = ${name}.length`])
    return `sample ${name} ~ s ${until} ${words} ${limit} tokens ${twist} ${every}\n${use}`
  }

  /** Calls with effects in all places of an expression. */
  private effectful(name: string): string {
    const form = this.choose(9)
    if (!this.pays(form === 0 ? 2 : 4)) return ''
    return [
      `${name} = leaf(${this.int()} % 2)`,
      `${name} = leaf(u % 2) + leaf(v % 2)`,
      `${name} = leaf(1) * (if ${this.condition()} { leaf(0) } else { 2 })`,
      `if ${this.condition()} and yes(u) { ${name} = 2\nfactor 0.6 }`,
      `if yes(v) or yes(w) { ${name} += 1 }`,
      `${name} = down(2, s) % 4`,
      `factor 0.1 + leaf(u % 2) * (0.5 + leaf(1))`,
      `observe leaf(0) ~ categorical([0.4, 0.1, 0.1, 0.4])\nsample ${name} ~ categorical([1, 1 + leaf(1)])`,
      `${name} = [u, leaf(v % 2), u + v][${this.int()} % 3] % 4`,
    ][form]!
  }

  private int(): string {
    return this.pick(['u', 'v', 'w', '(u + v)', 's.text.length', '(if s.ended { 1 } else { 0 })'])
  }

  private condition(): string {
    return this.pick([
      'u == 0',
      'v > u',
      'w % 2 == 1',
      's.ended',
      'not s.text.contains("a")',
      'u + v > 1 and w < 2',
      's.text.length < 2',
    ])
  }

  private weight(): string {
    return this.pick([
      '0.5',
      '1.7',
      `0.2 + ${this.int()}`,
      `exp(-0.4 * ${this.int()})`,
      `0.3 ^ (${this.int()} % 3)`,
      '[0.2, 1.5, 0][u % 3]',
    ])
  }

  /** Good, bad and absurd ones. */
  private twist(of: string): string {
    const form = this.choose(8)
    return [
      '1.5',
      `exp(0.7 * (${of} % 3))`,
      `[0.05, 20][${of} % 2]`,
      `1 / (1 + ${of})`,
      '30',
      '0.03',
      `0.4 + ${of} % 2`,
      `[0, 1][${of} % 2]`,
    ][form]!
  }
}
