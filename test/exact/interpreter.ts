import type { Json } from '../../src/infer/result.js'
import type { Block, Exp, FnDecl, SampleStmt, Stmt } from '../../src/syntax/ast.js'
import { parse } from '../../src/syntax/parse.js'
import { Context, type Language, type Markov, regular, Stream, Tok } from './reference-streams.js'

/*
 * The meaning of a program, slowly: it walks the syntax tree along every path of its draws and adds up the mass of each answer. It
 * shares nothing with the compiler but the parser. Twists, points, proposals and `untwist` do nothing here, because they mean nothing.
 *
 * Covered: the language of random programs (laws.test.ts) and of the tests beside it. Anything else throws.
 */

export type { Markov } from './reference-streams.js'

/** What the interpreter cannot find in the program. */
export interface World {
  readonly models: Readonly<Record<string, Markov>>
  /** What stands behind `matching` other than a regular expression, as it is written. */
  readonly languages?: Readonly<Record<string, Language>>
  readonly externs?: Readonly<Record<string, (...args: unknown[]) => unknown>>
}

/** target(answer), by answer as JSON text. */
export function meaning(source: string, world: World): Map<string, number> {
  const program = parse({ path: 'program.smc', text: source })
  const functions = new Map(program.items.flatMap((item) => (item.kind === 'FnDecl' ? [[item.name.text, item] as const] : [])))
  const statements = program.items.filter((item): item is Stmt => !item.kind.endsWith('Decl'))
  const measure = new Map<string, number>()
  let script: readonly number[] = []
  for (;;) {
    const path = new Path(script)
    const answer = new Interpreter(world, functions, path).script(statements)
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
    const live = [...probabilities.keys()].filter((i) => probabilities[i] !== 0)
    const branch = this.script[this.taken.length] ?? 0
    this.taken.push({ branch, of: live.length })
    this.weigh(live.length === 0 ? 0 : probabilities[live[branch]!]!)
    return live[branch]!
  }

  weigh(factor: number): void {
    if (!(factor >= 0 && factor < Infinity)) throw new Error(`a factor of ${factor}`)
    this.mass *= factor
    if (this.mass === 0) throw dead
  }
}

const dead = Symbol('dead')

class Model {
  constructor(readonly lm: Markov) {}
}

class Distribution {
  constructor(
    readonly values: readonly unknown[],
    readonly probabilities: readonly number[],
  ) {}
}

/** A token is the same as a string by its text. */
function isSame(a: unknown, b: unknown): boolean {
  return a instanceof Tok || b instanceof Tok ? `${a}` === `${b}` : a === b
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
    private readonly world: World,
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
          this.path.weigh(from.values.reduce<number>((sum, v, i) => sum + (isSame(v, value) ? from.probabilities[i]! : 0), 0))
        else {
          const context = from as Context
          const more = context.tokensOf(value)
          this.path.weigh(context.prob(more))
          context.go(more)
        }
        return null
      }
      case 'Force': {
        const value = this.value(s.value, scope)
        const context = this.value(s.from, scope) as Context
        const more = context.tokensOf(value)
        if (context.ended && more.length > 0) this.path.weigh(0)
        context.go(more)
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
    const where = s.clauses.find((c) => c.kind === 'Where')
    const require = () => {
      if (where) this.path.weigh(this.value(where.predicate, scope) === true ? 1 : 0)
    }
    if (s.clauses.some((c) => c.kind === 'Exactly' || c.kind === 'UpTo' || c.kind === 'Within' || c.kind === 'Matching')) {
      this.span(s, from as Context, scope, require)
      return
    }
    if (from instanceof Distribution) scope.put(s.name.text, from.values[this.path.choose(from.probabilities)])
    else scope.put(s.name.text, this.token(from as Context))
    require()
  }

  private span(s: SampleStmt, context: Context, scope: Scope, require: () => void): void {
    const limit = s.clauses.find((c) => c.kind === 'Exactly' || c.kind === 'UpTo' || c.kind === 'Within')
    const until = s.clauses.find((c) => c.kind === 'Until')
    const matching = s.clauses.find((c) => c.kind === 'Matching')
    const most = limit ? this.number(limit.count, scope) : Number.POSITIVE_INFINITY
    const stop = until && this.value(until.stop, scope)
    const language = matching && this.language(matching.pattern, context)
    const before = context.first.path.length
    const whole = () => context.first.text(before)
    let value = ''
    scope.put(s.name.text, value)
    for (let n = 0; ; n++) {
      const cut = n >= most
      if (cut || (limit?.kind !== 'Exactly' && context.ended)) {
        if (language && !language.accepts(whole())) this.path.weigh(0)
        if (limit?.kind === 'Within' && !context.ended) this.path.weigh(0)
        return
      }
      const token = language ? this.tokenOf(language, context, whole()) : this.token(context)
      if (!token) return
      if (limit?.kind === 'Exactly') this.path.weigh(token.end ? 0 : 1)
      value = whole()
      const at = stop === undefined ? -1 : typeof stop === 'string' ? value.indexOf(stop) : value.search(stop as RegExp)
      if (at >= 0) value = value.slice(0, at)
      scope.put(s.name.text, value)
      if (value !== '') require()
      if (at >= 0) return
      if (language?.accepts(whole()) && context.first.lm.tokens.every((t) => !goesOn(language, context, whole(), t))) return
    }
  }

  /** The next token of a text that keeps to a language; null when it stops. */
  private tokenOf(language: Language, context: Context, text: string): Tok | null {
    const { tokens } = context.first.lm
    const allowed = tokens.map((t) => goesOn(language, context, text, t))
    const weights = context.weights()
    const stays = weights.map((w, i) => (allowed[i] ? w : 0))
    const leaves = language.accepts(text) ? weights.reduce((sum, w, i) => sum + (allowed[i] ? 0 : w), 0) : 0
    const index = this.path.choose([...stays, leaves])
    if (index < tokens.length) return moved(context, index)
    const leaving = new Set(tokens.filter((_, i) => !allowed[i]))
    for (const { stream } of context.factors)
      for (const t of leaving) if (stream.leaving && !stream.leaving.set.has(t)) leaving.delete(t)
    context.leave(leaving, leaves)
    return null
  }

  private language(pattern: Exp, context: Context): Language {
    if (pattern.kind === 'Regex') return regular(pattern.pattern, pattern.flags, context.first.lm)
    const { source, start, end } = pattern.span
    return this.world.languages![source.text.slice(start, end)]!
  }

  /** One drawn token. */
  private token(context: Context): Tok {
    if (context.ended) this.path.weigh(0)
    return moved(context, this.path.choose(context.weights()))
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
      case 'Name': {
        const model = this.world.models[e.text]
        return model ? new Model(model) : scope.get(e.text)
      }
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
        if (target instanceof Model) return new Tok(target.lm.end!, true)
        if (target instanceof Tok) return e.name.text === 'end' ? target.end : `${target}`.length
        if (!(target instanceof Context)) return (target as { length: number }).length
        const { first, ended } = target
        if (e.name.text === 'tokens') return first.path.slice(first.prompt).map((t) => new Tok(t, t === first.lm.end))
        return e.name.text === 'ended' ? ended : first.text()
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
    const model = this.world.models[name]
    if (model) {
      const named = e.args.findIndex((a) => a.name?.text === 'temperature')
      const prompt = Context.of(new Stream(model, [], 0, 1)).cut(args[0] as string)
      return Context.of(new Stream(model, prompt, prompt.length, named < 0 ? 1 : (args[named] as number)))
    }
    const extern = this.world.externs?.[name]
    if (extern) return extern(...args)
    const f = this.functions.get(name)
    if (f) {
      const own = new Scope(null)
      f.params.forEach((p, i) => {
        own.declare(p.name.text, args[i])
      })
      return this.body(f.body.statements, own)
    }
    switch (name) {
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

function goesOn(language: Language, context: Context, text: string, token: string): boolean {
  return token !== context.first.lm.end && token !== '' && language.viable(text + token)
}

function moved(context: Context, index: number): Tok {
  const { lm } = context.first
  const token = lm.tokens[index]!
  context.go([token])
  return new Tok(token, token === lm.end)
}

function method(target: unknown, name: string, arg: unknown): unknown {
  if (target instanceof Context) {
    if (name === 'fork') return new Context(target.factors.map(({ stream, power }) => ({ stream: stream.copy(), power })))
    return target.prob(target.tokensOf(arg))
  }
  if (target instanceof Tok) return method(`${target}`, name, arg)
  if (typeof target === 'string') {
    const other = arg instanceof RegExp ? arg : `${arg}`
    if (name === 'contains') return other instanceof RegExp ? other.test(target) : target.includes(other)
    if (name === 'endsWith') return target.endsWith(`${arg}`)
    return target.split(`${arg}`).length - 1
  }
  if (target instanceof Distribution)
    return target.values.reduce<number>((sum, v, i) => sum + (isSame(v, arg) ? target.probabilities[i]! : 0), 0)
  const items = target as unknown[]
  if (name === 'sum') return items.reduce<number>((a, b) => a + (b as number), 0)
  return items.map(arg as (x: unknown) => unknown)
}

function plus(a: unknown, b: unknown): unknown {
  if (typeof a === 'number') return a + (b as number)
  return Array.isArray(a) ? [...a, ...(b as unknown[])] : `${a}${b}`
}

function operate(operator: string, a: unknown, b: unknown): unknown {
  if (a instanceof Context) {
    if (operator === '^') return Context.product(new Context([]), a, b as number)
    return Context.product(a, b as Context, operator === '*' ? 1 : -1)
  }
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
      return same(a, b)
    case '!=':
      return !same(a, b)
    case '..':
      return Array.from({ length: Math.max(0, y - x + 1) }, (_, i) => x + i)
    default:
      throw new Error(`the operator ${operator}`)
  }
}

function same(a: unknown, b: unknown): boolean {
  if (a instanceof Tok && b instanceof Tok) return a.name === b.name
  return a instanceof Tok || b instanceof Tok ? `${a}` === `${b}` : a === b
}

function plain(value: unknown): Json {
  if (value instanceof Tok) return `${value}`
  if (value instanceof Context) throw new Error('an answer is a stream')
  return Array.isArray(value) ? value.map(plain) : (value as Json)
}
