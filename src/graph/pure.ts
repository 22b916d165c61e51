import type { CheckedProgram, VariableSymbol } from '../check/types.js'
import type { Block, FnDecl, IfStmt, Stmt } from '../syntax/ast.js'
import { Emitter, type Program } from './emit.js'

/**
 * A function without effects becomes one JavaScript function. It may ask a model (`prob`) or an extern function: when the
 * answer is not there yet the host throws, the particle waits for a batch, and the whole expression is evaluated again.
 */
export function pureFunction(program: Program, decl: FnDecl, name: string): string {
  return new PureWriter(program, decl).write(name)
}

class PureWriter {
  private readonly locals = new Map<VariableSymbol, string>()
  private readonly emitter: Emitter
  private temporaries = 0

  constructor(
    private readonly program: Program,
    private readonly decl: FnDecl,
  ) {
    this.emitter = new Emitter(program, { read: (symbol) => this.local(symbol) })
  }

  write(name: string): string {
    const formals = this.decl.params.map((formal) => this.bind(formal))
    const defaults = this.decl.params.map((formal, i) =>
      formal.default
        ? `if(${formals[i]}===undefined)${formals[i]}=${this.emitter.coerced(this.emitter.emit(formal.default), formal.type, formal.span)};`
        : '',
    )
    // Assigned variables are declared at the top: blocks then need no scopes of their own, the checker has settled them.
    const body = this.block(this.decl.body)
    const declared = [...this.locals.values()].filter((local) => !formals.includes(local))
    return `function ${name}(${formals.join(',')}){${declared.length > 0 ? `let ${declared.join(',')};` : ''}${defaults.join('')}${body}}`
  }

  private bind(node: Parameters<CheckedProgram['symbols']['get']>[0]): string {
    const symbol = this.program.checked.symbols.get(node)
    if (symbol?.kind !== 'variable') throw new Error('a binder was not resolved to a variable')
    return this.local(symbol)
  }

  private local(symbol: VariableSymbol): string {
    let name = this.locals.get(symbol)
    if (name === undefined) {
      name = `v${this.locals.size}`
      this.locals.set(symbol, name)
    }
    return name
  }

  private temporary(): string {
    return `t${this.temporaries++}`
  }

  private tick(loop: Stmt): string {
    return `rt.tick(${this.emitter.site(loop.span)});`
  }

  private block(block: Block): string {
    return block.statements.map((s) => this.statement(s)).join('')
  }

  private statement(s: Stmt): string {
    const { emitter } = this
    switch (s.kind) {
      case 'Let':
        return `${this.bind(s)}=${emitter.coerced(emitter.emit(s.value), s.type, s.span)};`
      case 'Assign': {
        const place = this.bind(s)
        return `${place}=${assignment(emitter, s, place)};`
      }
      case 'If':
        return this.if(s)
      case 'For':
        return this.for(s)
      case 'While':
        return `while(${emitter.emitBool(s.condition)}){${this.tick(s)}${this.block(s.body)}}`
      case 'Repeat': {
        const left = this.temporary()
        return `for(let ${left}=rt.count(${emitter.emit(s.count)},${emitter.site(s.count.span)});${left}>0;${left}--){${this.tick(s)}${this.block(s.body)}}`
      }
      case 'Break':
        return 'break;'
      case 'Continue':
        return 'continue;'
      case 'Return':
        return s.value ? `return ${emitter.coerced(emitter.emit(s.value), this.decl.result, s.span)};` : 'return;'
      case 'Do':
        return `${emitter.emit(s.call)};`
      case 'Sample':
      case 'Observe':
      case 'Force':
      case 'Factor':
      case 'Require':
      case 'Twist':
      case 'Untwist':
      case 'Resample':
        throw new Error(`${s.kind} stands in a function that was taken to have no effects`)
      default:
        return s satisfies never
    }
  }

  private if(s: IfStmt): string {
    const branches: string[] = []
    let at: IfStmt | Block | undefined = s
    while (at && 'kind' in at) {
      branches.push(`if(${this.emitter.emitBool(at.condition)}){${this.block(at.then)}}`)
      at = at.else
    }
    return branches.join('else ') + (at ? `else{${this.block(at)}}` : '')
  }

  private for(s: Stmt & { kind: 'For' }): string {
    const { emitter } = this
    const name = this.bind(s)
    const [at, last] = [this.temporary(), this.temporary()]
    const site = emitter.site(s.in.span)
    if (s.in.kind === 'Binary' && s.in.operator === '..') {
      const [from, to] = [emitter.emit(s.in.left), emitter.emit(s.in.right)]
      return `for(let ${at}=rt.int(${from},${site}),${last}=rt.int(${to},${site});${at}<=${last};${at}++){${this.tick(s)}${name}=${at};${this.block(s.body)}}`
    }
    return `for(const ${at} of rt.list(${emitter.emit(s.in)},${site})){${this.tick(s)}${name}=${at};${this.block(s.body)}}`
  }
}

/** The new value of an assigned variable: values are immutable, so `r.f = e` makes an updated copy. */
export function assignment(emitter: Emitter, s: Stmt & { kind: 'Assign' }, current: string): string {
  const site = emitter.site(s.span)
  const value = emitter.emit(s.value)
  if (s.path.length === 0) return s.operator === '=' ? value : `rt.add(${current},${value},${site})`
  const path = s.path.map((step) => (step.kind === 'FieldStep' ? JSON.stringify(step.name.text) : emitter.emit(step.index)))
  return `rt.update(${current},[${path.join(',')}],${s.operator === '=' ? `()=>${value}` : `(old)=>rt.add(old,${value},${site})`},${site})`
}
