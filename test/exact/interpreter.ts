import type { Json } from '../../src/infer/result.js'
import type { Block, Exp, FnDecl, SampleStmt, Stmt } from '../../src/syntax/ast.js'
import { parse } from '../../src/syntax/parse.js'

/*
 * The meaning of a program, slowly: it walks the syntax tree along every path of its draws and adds up the mass of each answer. It
 * shares nothing with the compiler but the parser. Twists, points and `untwist` do nothing here, because they mean nothing.
 *
 * Covered: the language of random programs (laws.test.ts). Anything else throws.
 */

export interface Markov {
  readonly tokens: readonly string[]
  /** The token that ends a text, if any. */
  readonly end: string | null
  /** Probabilities after the last token; '' at the start. */
  readonly next: Readonly<Record<string, readonly number[]>>
}

/** target(answer), by answer as JSON text. */
export function meaning(source: string, lm: Markov): Map<string, number> {
  const program = parse({ path: 'program.smc', text: source })
  const functions = new Map(program.items.flatMap((item) => (item.kind === 'FnDecl' ? [[item.name.text, item] as const] : [])))
  const statements = program.items.filter((item): item is Stmt => !item.kind.endsWith('Decl'))
  const measure = new Map<string, number>()
  let script: readonly number[] = []
  for (;;) {
    const path = new Path(script)
    const answer = new Interpreter(lm, functions, path).script(statements)
    if (path.mass > 0) {
      const key = JSON.stringify(answer)
      measure.set(key, (measure.get(key) ?? 0) + path.mass)
    }
    const next = [...path.taken]
    while (next.length > 0 && next.at(-1)!.branch + 1 >= next.at(-1)!.of) next.pop()
    if (next.length === 0) return measure
    script = [...next.slice(0, -1).map((c) => c.branch), next.at(-1)!.branch + 1]
  }
}

/** One path of choices: its mass is the product of all densities, observes, factors and requires. */
class Path {
  mass = 1
  readonly taken: { readonly branch: number; readonly of: number }[] = []

  constructor(private readonly script: readonly number[]) {}

  choose(probabilities: readonly number[]): number {
    const branch = this.script[this.taken.length] ?? 0
    this.taken.push({ branch, of: probabilities.length })
    this.weigh(probabilities[branch]!)
    return branch
  }

  weigh(factor: number): void {
    if (!(factor >= 0 && factor < Infinity)) throw new Error(`a factor of ${factor}`)
    this.mass *= factor
    if (this.mass === 0) throw dead
  }
}

const dead = Symbol('dead')

class Stream {
  constructor(
    readonly lm: Markov,
    public path: readonly string[],
    readonly prompt: number,
  ) {}

  get ended(): boolean {
    return this.path.length > this.prompt && this.path.at(-1) === this.lm.end
  }

  row(path = this.path): readonly number[] {
    return this.lm.next[path.at(-1) ?? '']!
  }

  text(from = this.prompt): string {
    return this.path
      .slice(from)
      .filter((t) => t !== this.lm.end)
      .join('')
  }

  cut(text: string): string[] {
    const found: string[] = []
    const byLength = this.lm.tokens.filter((t) => t !== this.lm.end).sort((a, b) => b.length - a.length)
    for (let at = 0; at < text.length; at += found.at(-1)!.length) found.push(byLength.find((t) => text.startsWith(t, at))!)
    return found
  }

  /** The probability of these tokens from here. */
  prob(more: readonly string[]): number {
    if (more.length === 0) return 1
    if (this.ended || more.slice(0, -1).includes(this.lm.end as never)) return 0
    let mass = 1
    more.forEach((t, i) => {
      mass *= this.row([...this.path, ...more.slice(0, i)])[this.lm.tokens.indexOf(t)]!
    })
    return mass
  }
}

class Distribution {
  constructor(
    readonly values: readonly unknown[],
    readonly probabilities: readonly number[],
  ) {}
}

class Jump {
  constructor(
    readonly kind: 'break' | 'continue' | 'return',
    readonly value: unknown = undefined,
  ) {}
}

class Scope {
  private readonly own = new Map<string, unknown>()
  constructor(private readonly outer: Scope | null) {}

  declare(name: string, value: unknown): void {
    this.own.set(name, value)
  }
  private find(name: string): Scope | null {
    return this.own.has(name) ? this : (this.outer?.find(name) ?? null)
  }
  get(name: string): unknown {
    const scope = this.find(name)
    if (!scope) throw new Error(`no variable ${name}`)
    return scope.own.get(name)
  }
  /** Rebinds the nearest one, or declares it here. */
  put(name: string, value: unknown): void {
    ;(this.find(name) ?? this).own.set(name, value)
  }
}

class Interpreter {
  constructor(
    private readonly lm: Markov,
    private readonly functions: ReadonlyMap<string, FnDecl>,
    private readonly path: Path,
  ) {}

  script(statements: readonly Stmt[]): Json {
    try {
      return plain(this.body(statements, new Scope(null)))
    } catch (thrown) {
      if (thrown !== dead) throw thrown
      return null
    }
  }

  private body(statements: readonly Stmt[], scope: Scope): unknown {
    const jump = this.run(statements, scope)
    return jump?.value
  }

  private run(statements: readonly Stmt[], scope: Scope): Jump | null {
    for (const s of statements) {
      const jump = this.statement(s, scope)
      if (jump) return jump
    }
    return null
  }

  private block(block: Block, scope: Scope): Jump | null {
    return this.run(block.statements, new Scope(scope))
  }

  private statement(s: Stmt, scope: Scope): Jump | null {
    switch (s.kind) {
      case 'Let':
        scope.declare(s.name.text, this.value(s.value, scope))
        return null
      case 'Assign': {
        if (s.path.length > 0) throw new Error('assignment to a part')
        const before = s.operator === '+=' ? scope.get(s.name.text) : null
        const value = this.value(s.value, scope)
        scope.put(s.name.text, s.operator === '=' ? value : plus(before, value))
        return null
      }
      case 'Sample':
        this.sample(s, scope)
        return null
      case 'Observe': {
        const value = this.value(s.value, scope)
        const from = this.value(s.from, scope)
        if (from instanceof Distribution)
          this.path.weigh(from.values.reduce<number>((sum, v, i) => sum + (v === value ? from.probabilities[i]! : 0), 0))
        else {
          const stream = from as Stream
          const more = stream.cut(value as string)
          this.path.weigh(stream.prob(more))
          stream.path = [...stream.path, ...more]
        }
        return null
      }
      case 'Force': {
        const value = this.value(s.value, scope)
        const stream = this.value(s.from, scope) as Stream
        const more = stream.cut(value as string)
        if (stream.ended && more.length > 0) this.path.weigh(0)
        stream.path = [...stream.path, ...more]
        return null
      }
      case 'Factor':
        this.path.weigh(this.number(s.value, scope))
        return null
      case 'Require':
        this.path.weigh(this.value(s.condition, scope) === true ? 1 : 0)
        return null
      case 'Twist':
      case 'Untwist':
      case 'Resample':
        return null
      case 'If': {
        if (this.value(s.condition, scope) === true) return this.block(s.then, scope)
        if (!s.else) return null
        return 'kind' in s.else ? this.statement(s.else, scope) : this.block(s.else, scope)
      }
      case 'For':
        for (const item of this.value(s.in, scope) as unknown[]) {
          const turn = new Scope(scope)
          turn.declare(s.name.text, item)
          const jump = this.block(s.body, turn)
          if (jump?.kind === 'break') break
          if (jump?.kind === 'return') return jump
        }
        return null
      case 'While':
        while (this.value(s.condition, scope) === true) {
          const jump = this.block(s.body, scope)
          if (jump?.kind === 'break') break
          if (jump?.kind === 'return') return jump
        }
        return null
      case 'Repeat': {
        const turns = this.number(s.count, scope)
        for (let turn = 0; turn < turns; turn++) {
          const jump = this.block(s.body, scope)
          if (jump?.kind === 'break') break
          if (jump?.kind === 'return') return jump
        }
        return null
      }
      case 'Break':
        return new Jump('break')
      case 'Continue':
        return new Jump('continue')
      case 'Return':
        return new Jump('return', s.value && this.value(s.value, scope))
      case 'Do':
        this.value(s.call, scope)
        return null
      default:
        return s satisfies never
    }
  }

  private sample(s: SampleStmt, scope: Scope): void {
    const from = this.value(s.from, scope)
    if (from instanceof Distribution) {
      scope.put(s.name.text, from.values[this.path.choose(from.probabilities)])
      return
    }
    const stream = from as Stream
    const limit = s.clauses.find((c) => c.kind === 'Exactly' || c.kind === 'UpTo' || c.kind === 'Within')
    if (!limit) {
      scope.put(s.name.text, this.token(stream))
      return
    }
    const most = this.number(limit.count, scope)
    const until = s.clauses.find((c) => c.kind === 'Until')
    const stop = until && this.value(until.stop, scope)
    const before = stream.path.length
    let value = ''
    let stopped = false
    for (let n = 0; n < most && !stopped; n++) {
      if (limit.kind !== 'Exactly' && stream.ended) break
      const token = this.token(stream)
      if (limit.kind === 'Exactly') this.path.weigh(token === '' ? 0 : 1)
      value = stream.text(before)
      if (stop === undefined) continue
      const at = typeof stop === 'string' ? value.indexOf(stop) : value.search(stop as RegExp)
      stopped = at >= 0
      if (stopped) value = value.slice(0, at)
    }
    if (limit.kind === 'Within' && !stopped) this.path.weigh(stream.ended ? 1 : 0)
    scope.put(s.name.text, value)
  }

  /** The text of one drawn token. */
  private token(stream: Stream): string {
    if (stream.ended) this.path.weigh(0)
    const token = this.lm.tokens[this.path.choose(stream.row())]!
    stream.path = [...stream.path, token]
    return token === this.lm.end ? '' : token
  }

  private number(e: Exp, scope: Scope): number {
    return this.value(e, scope) as number
  }

  private value(e: Exp, scope: Scope): unknown {
    switch (e.kind) {
      case 'Number':
      case 'Bool':
        return e.value
      case 'String':
        return e.parts.map((part) => (typeof part === 'string' ? part : `${this.value(part, scope)}`)).join('')
      case 'Regex':
        return new RegExp(e.pattern, e.flags)
      case 'Name':
        return scope.get(e.text)
      case 'List':
        return e.elements.map((x) => this.value(x, scope))
      case 'IfExp':
        return this.value(e.condition, scope) === true ? this.value(e.then, scope) : this.value(e.else, scope)
      case 'Unary':
        return e.operator === 'not' ? !this.value(e.operand, scope) : -this.number(e.operand, scope)
      case 'Binary': {
        const left = this.value(e.left, scope)
        if (e.operator === 'and') return left === true && this.value(e.right, scope)
        if (e.operator === 'or') return left === true || this.value(e.right, scope)
        return operate(e.operator, left, this.value(e.right, scope))
      }
      case 'Index':
        return (this.value(e.target, scope) as unknown[])[this.number(e.index, scope)]
      case 'Field': {
        const target = this.value(e.target, scope)
        if (target instanceof Stream) return e.name.text === 'ended' ? target.ended : target.text()
        return (target as { length: number }).length
      }
      case 'Lambda':
        return (x: unknown) => {
          const inner = new Scope(scope)
          inner.declare(e.params[0]!.text, x)
          return this.value(e.body, inner)
        }
      case 'Call':
        return this.call(e, scope)
      default:
        throw new Error(`an expression of kind ${e.kind}`)
    }
  }

  private call(e: Exp & { kind: 'Call' }, scope: Scope): unknown {
    if (e.callee.kind === 'Field') {
      const target = this.value(e.callee.target, scope)
      const [arg] = e.args.map((a) => this.value(a.value, scope))
      return method(target, e.callee.name.text, arg)
    }
    const name = (e.callee as Exp & { kind: 'Name' }).text
    const args = e.args.map((a) => this.value(a.value, scope))
    const f = this.functions.get(name)
    if (f) {
      const own = new Scope(null)
      f.params.forEach((p, i) => {
        own.declare(p.name.text, args[i])
      })
      return this.body(f.body.statements, own)
    }
    switch (name) {
      case 'lm': {
        const stream = new Stream(this.lm, [], 0)
        const prompt = stream.cut(args[0] as string)
        return new Stream(this.lm, prompt, prompt.length)
      }
      case 'exp':
        return Math.exp(args[0] as number)
      case 'bernoulli':
        return new Distribution([false, true], [1 - (args[0] as number), args[0] as number])
      case 'uniform': {
        const values = args[0] as unknown[]
        return new Distribution(
          values,
          values.map(() => 1 / values.length),
        )
      }
      case 'categorical': {
        const weights = args[0] as number[]
        const total = weights.reduce((a, b) => a + b, 0)
        return new Distribution(
          [...weights.keys()],
          weights.map((w) => w / total),
        )
      }
      default:
        throw new Error(`a call of ${name}`)
    }
  }
}

function method(target: unknown, name: string, arg: unknown): unknown {
  if (target instanceof Stream) {
    if (name === 'fork') return new Stream(target.lm, target.path, target.prompt)
    return target.prob(target.cut(arg as string))
  }
  if (typeof target === 'string')
    return name === 'contains' ? target.includes(arg as string) : target.split(arg as string).length - 1
  if (target instanceof Distribution)
    return target.values.reduce<number>((sum, v, i) => sum + (v === arg ? target.probabilities[i]! : 0), 0)
  const items = target as unknown[]
  if (name === 'sum') return items.reduce<number>((a, b) => a + (b as number), 0)
  return items.map(arg as (x: unknown) => unknown)
}

function plus(a: unknown, b: unknown): unknown {
  return Array.isArray(a) ? [...a, ...(b as unknown[])] : (a as number) + (b as number)
}

function operate(operator: string, a: unknown, b: unknown): unknown {
  const [x, y] = [a as number, b as number]
  switch (operator) {
    case '+':
      return plus(a, b)
    case '-':
      return x - y
    case '*':
      return x * y
    case '/':
      return x / y
    case '%':
      return x % y
    case '^':
      return x ** y
    case '<':
      return x < y
    case '>':
      return x > y
    case '<=':
      return x <= y
    case '>=':
      return x >= y
    case '==':
      return a === b
    case '!=':
      return a !== b
    case '..':
      return Array.from({ length: Math.max(0, y - x + 1) }, (_, i) => x + i)
    default:
      throw new Error(`the operator ${operator}`)
  }
}

function plain(value: unknown): Json {
  if (value instanceof Stream) throw new Error('an answer is a stream')
  return Array.isArray(value) ? value.map(plain) : (value as Json)
}
