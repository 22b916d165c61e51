import type { Clause, Exp, Stmt } from '../syntax/ast.js'
import { blocksOf } from './functions.js'
import type { CheckedProgram, Symbol } from './types.js'

/** The expressions directly inside an expression. */
export function partsOf(exp: Exp): readonly Exp[] {
  switch (exp.kind) {
    case 'Number':
    case 'Bool':
    case 'Regex':
    case 'Name':
      return []
    case 'String':
      return exp.parts.filter((part) => typeof part !== 'string')
    case 'List':
      return exp.elements
    case 'Record':
      return exp.entries.map((entry) => entry.value)
    case 'IfExp':
      return [exp.condition, exp.then, exp.else]
    case 'Lambda':
      return [exp.body]
    case 'Unary':
      return [exp.operand]
    case 'Binary':
      return [exp.left, exp.right]
    case 'Call':
      return [exp.callee, ...exp.args.map((arg) => arg.value)]
    case 'Index':
      return [exp.target, exp.index]
    case 'Field':
      return [exp.target]
    default:
      return exp satisfies never
  }
}

/** The expressions directly inside a statement, without those of the blocks in it. */
export function expressionsOf(statement: Stmt): readonly Exp[] {
  switch (statement.kind) {
    case 'Let':
    case 'Factor':
    case 'Twist':
      return [statement.value]
    case 'Assign':
      return [...statement.path.flatMap((step) => (step.kind === 'IndexStep' ? [step.index] : [])), statement.value]
    case 'Sample':
      return [statement.from, ...statement.clauses.flatMap(expressionsOfClause)]
    case 'Observe':
    case 'Force':
      return [statement.value, statement.from]
    case 'Require':
    case 'If':
    case 'While':
      return [statement.condition]
    case 'For':
      return [statement.in]
    case 'Repeat':
      return [statement.count]
    case 'Return':
      return statement.value ? [statement.value] : []
    case 'Do':
      return [statement.call]
    case 'Untwist':
    case 'Resample':
    case 'Break':
    case 'Continue':
      return []
    default:
      return statement satisfies never
  }
}

/** Every statement, also of the blocks inside; does not recurse, however deep they lie. */
export function* statementsIn(statements: readonly Stmt[]): Generator<Stmt> {
  const pending = [...statements].reverse()
  for (let statement = pending.pop(); statement; statement = pending.pop()) {
    yield statement
    for (const block of blocksOf(statement).reverse()) pending.push(...[...block].reverse())
  }
}

function expressionsOfClause(clause: Clause): readonly Exp[] {
  switch (clause.kind) {
    case 'Exactly':
    case 'UpTo':
    case 'Within':
    case 'ResamplingEvery':
      return [clause.count]
    case 'Until':
      return [clause.stop]
    case 'Matching':
      return [clause.pattern]
    case 'Where':
      return [clause.predicate]
    case 'TwistedBy':
      return [clause.twist]
    case 'Via':
      return clause.block ? [clause.proposal, clause.block] : [clause.proposal]
    default:
      return clause satisfies never
  }
}

/** The statements of the script itself, without its declarations. */
export function scriptOf({ main }: CheckedProgram): Stmt[] {
  return main.program.items.filter((item): item is Stmt => !item.kind.endsWith('Decl'))
}

/** The statements that bind each variable, in these and in the blocks inside them. */
export function bindersIn(statements: readonly Stmt[], { symbols }: CheckedProgram): ReadonlyMap<Symbol, readonly Stmt[]> {
  const binders = new Map<Symbol, Stmt[]>()
  for (const statement of statementsIn(statements)) {
    const symbol = symbols.get(statement as never)
    if (symbol) binders.set(symbol, [...(binders.get(symbol) ?? []), statement])
  }
  return binders
}
