import { conditioned } from '../check/observed.js'
import type { CheckedProgram, Module, Symbol } from '../check/types.js'
import type { Span } from '../diagnostics/span.js'
import type { ClassifierDecl, FnDecl, ModelDecl } from '../syntax/ast.js'
import { Emitter, type Program } from './emit.js'
import { FunctionBuilder } from './function.js'
import type { Code, FixedPattern, Graph, GraphFunction, PureFunction } from './ir.js'
import { pureFunction } from './pure.js'

/**
 * The typed tree to the inference graph. Functions with effects become control-flow graphs, because a particle must be able
 * to stop inside them, wait for others and be copied; functions without effects become JavaScript. Spans stay whole nodes
 * and no resampling point stands yet: the passes do that.
 */
export function buildGraph(checked: CheckedProgram, resolveExtern: (from: string, module: Module) => string): Graph {
  return new GraphBuilder(checked, resolveExtern).build()
}

export class GraphBuilder implements Program {
  readonly sites: Span[] = []
  readonly functions: GraphFunction[] = []
  readonly patterns: FixedPattern[] = []
  /** Whether contexts are multiplied anywhere: then any context may be a product. */
  readonly hasProducts: boolean
  twists = 0
  private readonly siteNumbers = new Map<string, number>()
  private readonly effectful = new Map<FnDecl, number>()
  private readonly pure = new Map<FnDecl, { name: string; written: PureFunction | null }>()
  private readonly externs: { decl: Graph['externs'][number]['decl']; path: string }[] = []

  constructor(
    readonly checked: CheckedProgram,
    private readonly resolveExtern: (from: string, module: Module) => string,
  ) {
    this.hasProducts = [...checked.types].some(([exp, type]) => exp.kind === 'Binary' && type.kind === 'Context')
  }

  build(): Graph {
    const { checked } = this
    const graphFunctions = checked.functions.filter((f) => checked.effectful.has(f))
    graphFunctions.forEach((f, i) => {
      this.effectful.set(f, i + 1)
    })
    const program = checked.main.program
    const statements = program.items.filter((item) => !isDeclaration(item.kind))
    this.functions.push(new FunctionBuilder(this, program.span).script(statements as never))
    for (const f of graphFunctions) this.functions.push(new FunctionBuilder(this, f.span).function(f))
    const params = checked.params.map((decl) => {
      const symbol = checked.symbols.get(decl.name)
      const type = symbol?.kind === 'param' ? symbol.type : ({ kind: 'Unknown' } as const)
      const emitter = new Emitter(this, { read: outsideFunctions })
      const value = decl.default && emitter.code(decl.default)
      const code: Code | null = value ? { ...value, js: emitter.coerced(value.js, decl.type, decl.span) } : null
      return { decl, type, default: code }
    })
    return {
      functions: this.functions,
      pure: [...this.pure.values()].map((p) => p.written!),
      models: checked.models.map(opened),
      classifiers: checked.classifiers.map(opened),
      params,
      externs: this.externs,
      learned: checked.learnedTwists,
      conditioned: checked.learnedTwists.length > 0 ? conditioned(checked) : new Map(),
      sites: this.sites,
      lookahead: false,
      patterns: this.patterns,
      result: checked.result,
    }
  }

  site(span: Span): number {
    const key = `${span.source.path}:${span.start}:${span.end}`
    let number = this.siteNumbers.get(key)
    if (number === undefined) {
      number = this.sites.push(span) - 1
      this.siteNumbers.set(key, number)
    }
    return number
  }

  pureName(symbol: Symbol & { kind: 'function' }): string {
    let entry = this.pure.get(symbol.decl)
    if (!entry) {
      entry = { name: `f${this.pure.size}_${symbol.name}`, written: null }
      this.pure.set(symbol.decl, entry) // before its body is written: it may call itself
      entry.written = { decl: symbol.decl, js: pureFunction(this, symbol.decl, entry.name) }
    }
    return entry.name
  }

  indexOf(symbol: Symbol & { kind: 'param' | 'model' | 'classifier' | 'extern' | 'learnedTwist' }): number {
    if (symbol.kind === 'learnedTwist') return this.checked.learnedTwists.indexOf(symbol.decl)
    if (symbol.kind === 'param') return this.checked.params.indexOf(symbol.decl)
    if (symbol.kind === 'model') return this.checked.models.indexOf(symbol.decl)
    if (symbol.kind === 'classifier') return this.checked.classifiers.indexOf(symbol.decl)
    const at = this.externs.findIndex((x) => x.decl === symbol.decl)
    if (at >= 0) return at
    return this.externs.push({ decl: symbol.decl, path: this.resolveExtern(symbol.decl.from.parts.join(''), symbol.module) }) - 1
  }

  /** The number of a function with effects. */
  graphFunction(decl: FnDecl): number | undefined {
    return this.effectful.get(decl)
  }
}

function opened({ name, id }: ModelDecl | ClassifierDecl): Graph['models'][number] {
  return { name: name.text, id: id.parts.join(''), span: id.span }
}

function outsideFunctions(): never {
  throw new Error('a default refers to a variable')
}

const declarations = new Set([
  'ModelDecl',
  'ClassifierDecl',
  'ParamDecl',
  'InferDecl',
  'LearnTwistDecl',
  'FnDecl',
  'ExternDecl',
  'UseDecl',
])

function isDeclaration(kind: string): boolean {
  return declarations.has(kind)
}
