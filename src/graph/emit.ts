import { builtins } from '../check/builtins.js'
import type { CheckedProgram, Symbol, VariableSymbol } from '../check/types.js'
import type { Span } from '../diagnostics/span.js'
import type {
  Argument,
  BinaryExp,
  BinaryOperator,
  CallExp,
  Exp,
  Formal,
  LambdaExp,
  StringLiteral,
  TypeExp,
} from '../syntax/ast.js'
import type { Code } from './ir.js'

/**
 * Expressions to JavaScript. The text is compiled once a run and reads `s` (the slots of the particle's frame) and `rt`
 * (the host: operators, methods, models). Numbers passed last are sites: where to point when the operation fails.
 */
export interface Names {
  /** JavaScript that reads a variable. */
  read(symbol: VariableSymbol): string
}

/** What the emitter knows of the whole program. */
export interface Program {
  readonly checked: CheckedProgram
  /** The number of a place in the program. */
  site(span: Span): number
  /** JavaScript name of a function without effects. */
  pureName(symbol: Symbol & { kind: 'function' }): string
  indexOf(symbol: Symbol & { kind: 'param' | 'model' | 'classifier' | 'extern' | 'learnedTwist' }): number
}

/** Stands for the stream of a span in the code of `twisted by psi`; the pass `spans` puts the slot in its place. */
export const theStream = 'rt.theStream'

/** Chains longer than this become statements: JavaScript's own parser recurses over nested calls. */
const LONGEST_NESTED_CHAIN = 64

const operatorNames: Record<Exclude<BinaryOperator, 'and' | 'or'>, string> = {
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  in: 'isIn',
  '..': 'range',
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
  '^': 'pow',
}

export class Emitter {
  /** Expressions whose value was computed before, and where it is. */
  readonly computed = new Map<Exp, { readonly js: string; readonly name: string }>()

  constructor(
    readonly program: Program,
    readonly names: Names,
  ) {}

  code(e: Exp): Code {
    return { js: this.emit(e), text: this.textOf(e), span: e.span }
  }

  /** The log of a weight, as a number; powers and products are formed in log space (language.md §1). */
  logWeight(e: Exp): Code {
    return { js: `rt.logWeight(${this.weight(e)},${this.site(e.span)})`, text: textOf(e), span: e.span }
  }

  /** A twist that is a learned one and nothing else, as a draw before it looks at it. */
  guide(e: Exp): Code | null {
    const symbol = e.kind === 'Name' ? this.program.checked.symbols.get(e) : e.kind === 'Call' ? this.calledTwist(e) : undefined
    if (symbol?.kind !== 'learnedTwist') return null
    const args = e.kind === 'Call' ? this.twistArguments(e, symbol) : `[${theStream}]`
    return { js: `rt.guide(${this.program.indexOf(symbol)},${args},${this.site(e.span)})`, text: textOf(e), span: e.span }
  }

  private calledTwist(e: CallExp): Symbol | undefined {
    return e.callee.kind === 'Name' ? this.program.checked.symbols.get(e.callee) : undefined
  }

  private twistArguments(e: CallExp, { decl }: Symbol & { kind: 'learnedTwist' }): string {
    const names = decl.params.map((formal) => formal.name.text)
    const ordered = arrange(e.args, names)
    const values = names.map((_, i) => {
      const given = ordered[i]?.value ?? decl.params[i]!.default
      return given ? this.emit(given) : 'undefined'
    })
    return `[${values.join(',')}]`
  }

  /** What stands behind `matching`: a regular expression, `json(...)` or `grammar(...)`. */
  pattern(e: Exp): Code {
    if (e.kind !== 'Call' || e.callee.kind !== 'Name') return this.code(e)
    const text = JSON.stringify(e.span.source.path)
    const js = `rt.pattern_${e.callee.text}(${this.emit(e.args[0]!.value)},${text},${this.site(e.span)})`
    return { js, text: textOf(e), span: e.span }
  }

  bool(e: Exp): Code {
    return { js: this.emitBool(e), text: this.textOf(e), span: e.span }
  }

  private textOf(e: Exp): string {
    return this.computed.get(e)?.name ?? textOf(e)
  }

  emit(e: Exp): string {
    const computed = this.computed.get(e)
    if (computed !== undefined) return computed.js
    switch (e.kind) {
      case 'Number':
        return `${e.value}`
      case 'Bool':
        return `${e.value}`
      case 'String':
        return this.string(e)
      case 'Regex':
        return `rt.regex(${JSON.stringify(e.pattern)},${JSON.stringify(e.flags)})`
      case 'Name':
        return this.name(this.program.checked.symbols.get(e), e.text, e.span)
      case 'List':
        return `[${e.elements.map((x) => this.emit(x)).join(',')}]`
      case 'Record':
        return `rt.record([${e.entries.map((x) => JSON.stringify(x.name.text)).join(',')}],[${e.entries.map((x) => this.emit(x.value)).join(',')}])`
      case 'IfExp':
        return `(${this.emitBool(e.condition)}?${this.emit(e.then)}:${this.emit(e.else)})`
      case 'Lambda':
        return this.lambda(e)
      case 'Unary':
        return e.operator === 'not' ? `!${this.emitBool(e.operand)}` : `rt.neg(${this.emit(e.operand)},${this.site(e.span)})`
      case 'Binary':
        return this.binary(e)
      case 'Call':
        return this.call(e)
      case 'Index':
        return this.index(e.target, e.index, e.span)
      case 'Field':
        return `rt.field(${this.emit(e.target)},${JSON.stringify(e.name.text)},${this.site(e.span)})`
      default:
        return e satisfies never
    }
  }

  /** A value meant for a place with a written type: a Weight becomes a number, or a number a Weight. */
  coerced(js: string, type: TypeExp | undefined, span: Span): string {
    if (type?.kind !== 'NamedType') return js
    if (type.name === 'Float') return `rt.number(${js},${this.site(span)})`
    if (type.name === 'Weight') return `rt.toWeight(${js},${this.site(span)})`
    return js
  }

  emitBool(e: Exp): string {
    if (e.kind === 'Bool') return `${e.value}`
    return `rt.bool(${this.emit(e)},${this.site(e.span)})`
  }

  site(span: Span): number {
    return this.program.site(span)
  }

  private weight(e: Exp): string {
    if (this.computed.has(e)) return this.emit(e)
    if (e.kind === 'Binary' && (e.operator === '*' || e.operator === '/' || e.operator === '^')) {
      const operation = { '*': 'mulWeight', '/': 'divWeight', '^': 'powWeight' }[e.operator]
      const right = e.operator === '^' ? this.emit(e.right) : this.weight(e.right)
      return `rt.${operation}(${this.weight(e.left)},${right},${this.site(e.span)})`
    }
    if (e.kind === 'IfExp') return `(${this.emitBool(e.condition)}?${this.weight(e.then)}:${this.weight(e.else)})`
    return this.emit(e)
  }

  private string(e: StringLiteral): string {
    if (e.parts.length === 0) return '""'
    const parts = e.parts.map((part) =>
      typeof part === 'string' ? JSON.stringify(part) : `rt.str(${this.emit(part)},${this.site(part.span)})`,
    )
    return parts.length === 1 ? parts[0]! : `(${parts.join('+')})`
  }

  private name(symbol: Symbol | undefined, text: string, span: Span): string {
    if (symbol === undefined) throw new Error(`the name ${text} was not resolved`)
    switch (symbol.kind) {
      case 'variable':
        return this.names.read(symbol)
      case 'param':
        return `rt.params[${this.program.indexOf(symbol)}]`
      case 'model':
        return `rt.models[${this.program.indexOf(symbol)}]`
      case 'classifier':
        return `rt.classifiers[${this.program.indexOf(symbol)}]`
      case 'function':
        return this.program.pureName(symbol)
      case 'learnedTwist':
        return `rt.learned(${this.program.indexOf(symbol)},[${theStream}],${this.site(span)})`
      case 'extern':
        return `((...a)=>rt.extern(${this.program.indexOf(symbol)},a,${this.site(span)}))`
      case 'builtin':
        return `((...a)=>rt.builtin.${symbol.name}(${this.site(span)},...a))`
      default:
        return symbol satisfies never
    }
  }

  private lambda(e: LambdaExp): string {
    // A lambda sees the values that stand where it is written: it may outlive the particle's frame.
    const captured = new Map<VariableSymbol, string>()
    const own = new Map<VariableSymbol, string>()
    const params = e.params.map((name, i) => {
      const symbol = this.program.checked.symbols.get(name)
      const local = `x${name.span.start}_${i}`
      if (symbol?.kind === 'variable') own.set(symbol, local)
      return local
    })
    const inner = new Emitter(this.program, {
      read: (symbol) => {
        const local = own.get(symbol)
        if (local !== undefined) return local
        let name = captured.get(symbol)
        if (name === undefined) {
          name = `c${e.span.start}_${captured.size}`
          captured.set(symbol, name)
        }
        return name
      },
    })
    const body = `((${params.join(',')})=>(${inner.emit(e.body)}))`
    if (captured.size === 0) return body
    const values = [...captured.keys()].map((symbol) => this.names.read(symbol))
    return `((${[...captured.values()].join(',')})=>${body})(${values.join(',')})`
  }

  private binary(e: BinaryExp): string {
    const chain: BinaryExp[] = []
    for (let at: Exp = e; at.kind === 'Binary' && !this.computed.has(at); at = at.left) chain.push(at)
    if (chain.length > LONGEST_NESTED_CHAIN) return this.longChain(chain)
    return this.combine(e, this.operand(e, e.left), this.operand(e, e.right))
  }

  private operand(e: BinaryExp, side: Exp): string {
    return e.operator === 'and' || e.operator === 'or' ? this.emitBool(side) : this.emit(side)
  }

  private combine(e: BinaryExp, left: string, right: string): string {
    if (e.operator === 'and') return `(${left}&&${right})`
    if (e.operator === 'or') return `(${left}||${right})`
    return `rt.${operatorNames[e.operator]}(${left},${right},${this.site(e.span)})`
  }

  private longChain(chain: readonly BinaryExp[]): string {
    const innermost = chain[chain.length - 1]!
    let js = `let t=${this.operand(innermost, innermost.left)};`
    for (let i = chain.length - 1; i >= 0; i--) {
      const e = chain[i]!
      const left = e.operator === 'and' || e.operator === 'or' ? `rt.bool(t,${this.site(e.left.span)})` : 't'
      js += `t=${this.combine(e, left, this.operand(e, e.right))};`
    }
    return `(()=>{${js}return t})()`
  }

  private index(target: Exp, index: Exp, span: Span): string {
    const list = this.emit(target)
    if (index.kind === 'Binary' && index.operator === '..' && !this.computed.has(index)) {
      return `rt.slice(${list},${this.emit(index.left)},${this.emit(index.right)},${this.site(span)})`
    }
    return `rt.index(${list},${this.emit(index)},${this.site(span)})`
  }

  private call(e: CallExp): string {
    const site = this.site(e.span)
    if (e.callee.kind === 'Field') {
      const args = e.args.map((a) => this.emit(a.value))
      return `rt.method(${this.emit(e.callee.target)},${JSON.stringify(e.callee.name.text)},[${args.join(',')}],${site})`
    }
    const symbol = e.callee.kind === 'Name' ? this.program.checked.symbols.get(e.callee) : undefined
    if (symbol?.kind === 'function') {
      const args = this.arranged(e.args, symbol.decl.params)
      return `${this.program.pureName(symbol)}(${args.join(',')})`
    }
    if (symbol?.kind === 'learnedTwist') {
      return `rt.learned(${this.program.indexOf(symbol)},${this.twistArguments(e, symbol)},${site})`
    }
    if (symbol?.kind === 'extern') {
      return `rt.extern(${this.program.indexOf(symbol)},[${this.arranged(e.args, symbol.decl.params).join(',')}],${site})`
    }
    if (symbol?.kind === 'builtin') {
      const args = arrange(e.args, builtinParameters(symbol.name, e.args)).map((a) => (a ? this.emit(a.value) : 'undefined'))
      return `rt.builtin.${symbol.name}(${[site, ...args].join(',')})`
    }
    const positional = e.args.filter((a) => !a.name).map((a) => this.emit(a.value))
    const named = e.args.filter((a) => a.name).map((a) => `${JSON.stringify(a.name!.text)}:${this.emit(a.value)}`)
    return `rt.invoke(${this.emit(e.callee)},[${positional.join(',')}],{${named.join(',')}},${site})`
  }

  /** Arguments in the order of the formals; `undefined` where the default applies. */
  arranged(args: readonly Argument[], formals: readonly Formal[]): string[] {
    const ordered = arrange(
      args,
      formals.map((f) => f.name.text),
    )
    return ordered.map((a, i) => (a ? this.coerced(this.emit(a.value), formals[i]!.type, a.span) : 'undefined'))
  }
}

/** Positional arguments first, named ones in their places; trailing places that are left out are dropped. */
export function arrange(args: readonly Argument[], names: readonly string[]): (Argument | undefined)[] {
  const ordered: (Argument | undefined)[] = []
  let position = 0
  for (const argument of args) {
    const at = argument.name ? names.indexOf(argument.name.text) : position++
    ordered[at] = argument
  }
  return Array.from(ordered)
}

/** Names of a builtin's parameters, in the overload that these arguments name. */
function builtinParameters(name: string, args: readonly Argument[]): readonly string[] {
  const overloads = (builtins.get(name)?.signatures ?? []).map((s) => s.parameters.map((p) => p.name))
  const fits = overloads.find((names) => args.every((a) => !a.name || names.includes(a.name.text)))
  return fits ?? []
}

/** An expression as it was written, on one line. */
export function textOf(e: { readonly span: Span }): string {
  return e.span.source.text.slice(e.span.start, e.span.end).replace(/\s+/g, ' ')
}

/** Code that no expression of the program stands for by itself. */
export function generated(js: string, text: string, span: Span): Code {
  return { js, text, span }
}
