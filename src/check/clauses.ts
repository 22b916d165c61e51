import type { Clause, ClauseKind, Exp, SampleStmt } from '../syntax/ast.js'
import type { Checker } from './checker.js'
import { expect, infer } from './expressions.js'
import { mismatch } from './mismatch.js'
import { declare } from './names.js'
import { checkMatching, checkStop } from './patterns.js'
import { bool, context, fits, int, isOpen, string, token, unknown, weight } from './relations.js'
import type { Scope } from './scope.js'
import { describe } from './show.js'
import { cannotDraw } from './statements.js'
import type { Type, VariableSymbol } from './types.js'

/** What each clause is called in messages. */
const words: Readonly<Record<ClauseKind, string>> = {
  Exactly: 'for',
  UpTo: 'for up to',
  Within: 'within',
  Until: 'until',
  Matching: 'matching',
  Where: 'where',
  Via: 'via',
  TwistedBy: 'twisted by',
  ResamplingEvery: 'resampling every',
}

const limits: readonly ClauseKind[] = ['Exactly', 'UpTo', 'Within']

/** `sample x ~ D clause*` (language.md §5, §6). */
export function checkSample(checker: Checker, scope: Scope, statement: SampleStmt): void {
  const from = infer(checker, scope, statement.from)
  if (from.kind !== 'Dist' && from.kind !== 'Context' && !isOpen(from)) cannotDraw(checker, statement.from, from, 'sample from')
  checkTogether(checker, statement, from)
  for (const clause of statement.clauses) if (!seesDraw(clause)) checkClause(checker, scope, clause, from)

  const value = valueType(statement, from)
  const symbol = bindSampled(checker, scope, statement, value)
  checker.symbols.set(statement, symbol)
  checker.symbols.set(statement.name, symbol)

  for (const clause of statement.clauses) if (seesDraw(clause)) checkClause(checker, scope, clause, from)
}

/** These are asked after every token, when the stream has moved and the name stands for the text so far. */
function seesDraw(clause: Clause): boolean {
  return clause.kind === 'Where' || clause.kind === 'TwistedBy'
}

function valueType(statement: SampleStmt, from: Type): Type {
  const isSpan = statement.clauses.some((clause) => [...limits, 'Until', 'Matching'].includes(clause.kind))
  if (from.kind === 'Dist') return from.of
  if (from.kind === 'Context') return isSpan ? string : token
  if (isOpen(from)) return isSpan ? string : from
  return unknown
}

/** A sample declares its name, or rebinds it where this function already has it. */
function bindSampled(checker: Checker, scope: Scope, statement: SampleStmt, value: Type): VariableSymbol {
  const known = scope.find(statement.name.text)
  if (known?.kind !== 'variable' || known.owner !== scope.frame.fn) {
    const symbol = declare(checker, scope, statement.name)
    checker.grow(symbol, value)
    return symbol
  }
  if (checker.loopVariables.has(known)) {
    checker.report('C009', statement.name.span, `\`${known.name}\` is the variable of a loop and cannot be sampled`, {
      hint: 'take another name',
    })
  } else if (!checker.grow(known, value)) {
    checker.report(
      'C032',
      statement.name.span,
      `expected ${describe(known.type)} for \`${known.name}\`, found ${describe(value)}`,
      {
        notes: [{ message: `\`${known.name}\` is declared here`, span: known.declared }],
        hint: 'sampling an existing name gives it another value of the same type: take another name',
      },
    )
  }
  return known
}

function checkTogether(checker: Checker, statement: SampleStmt, from: Type): void {
  const { clauses } = statement
  const find = (...kinds: readonly ClauseKind[]) => clauses.find((clause) => kinds.includes(clause.kind))
  const seen = new Set<ClauseKind>()
  for (const clause of clauses) {
    if (seen.has(clause.kind)) {
      checker.report('C060', clause.span, `the clause \`${words[clause.kind]}\` is given twice`, {
        hint: 'leave one of them out',
      })
      return
    }
    seen.add(clause.kind)
  }
  const ofText = clauses.find((clause) => clause.kind !== 'Where' && clause.kind !== 'Via')
  if (ofText && from.kind === 'Dist') {
    checker.report('C064', ofText.span, `\`${words[ofText.kind]}\` expects a Context, found ${describe(from)}`, {
      hint: 'a distribution gives one value: leave the clause out',
    })
    return
  }
  const [limit, other] = clauses.filter((clause) => limits.includes(clause.kind))
  if (limit && other) {
    checker.report('C061', other.span, `\`${words[other.kind]}\` cannot stand beside \`${words[limit.kind]}\``, {
      hint: 'a span has one limit',
    })
    return
  }
  const pattern = find('Until', 'Matching')
  if (limit?.kind === 'Exactly' && pattern) {
    checker.report('C061', pattern.span, `\`${words[pattern.kind]}\` cannot stand beside \`for n tokens\``, {
      hint: 'write `for up to n tokens`, or `within n tokens`',
    })
    return
  }
  if (pattern?.kind === 'Until' && !limit && !find('Matching')) {
    checker.report('C062', pattern.span, '`until` needs a limit', { hint: 'add `for up to 30 tokens`, or `within 30 tokens`' })
    return
  }
  const blocks = clauses.find((clause) => clause.kind === 'Via' && clause.block)
  const alongSpan = find('TwistedBy', 'ResamplingEvery') ?? blocks
  if (alongSpan && !limit && !pattern) {
    const name = alongSpan === blocks ? 'in blocks of' : words[alongSpan.kind]
    checker.report('C063', alongSpan.span, `\`${name}\` needs a span of several tokens`, {
      hint: 'add `for n tokens`, or `for up to n tokens`',
    })
  }
}

function checkClause(checker: Checker, scope: Scope, clause: Clause, from: Type): void {
  switch (clause.kind) {
    case 'Exactly':
    case 'UpTo':
    case 'Within':
      checkCount(checker, scope, clause.count, 0)
      return
    case 'ResamplingEvery':
      checkCount(checker, scope, clause.count, 1)
      return
    case 'Until': {
      const type = checkStop(checker, scope, clause.stop)
      if (type.kind !== 'Regex' && !fits(type, string))
        mismatch(checker, clause.stop, string, type, 'a String or a regular expression')
      return
    }
    case 'Matching':
      checkMatching(checker, scope, clause.pattern)
      return
    case 'Where':
      expect(checker, scope.without('`where`'), clause.predicate, bool)
      return
    case 'TwistedBy':
      checkTwistedBy(checker, scope.without('`twisted by`'), clause.twist)
      return
    case 'Via':
      checkProposal(checker, clause.proposal, infer(checker, scope, clause.proposal), from)
      if (clause.block) checkCount(checker, scope, clause.block, 1)
      return
    default:
      clause satisfies never
      return
  }
}

function checkCount(checker: Checker, scope: Scope, count: Exp, least: number): void {
  expect(checker, scope, count, int)
  const negative = count.kind === 'Unary' && count.operator === '-' && count.operand.kind === 'Number' && count.operand.isInt
  if (negative || (count.kind === 'Number' && count.isInt && count.value < least)) {
    checker.report('C065', count.span, `expected a number of tokens from ${least}, found ${negative ? 'a negative one' : '0'}`, {
      hint: `write a whole number from ${least}`,
    })
  }
}

/** `twisted by psi` is short for `psi(story)` where psi has no other parameter. */
function checkTwistedBy(checker: Checker, scope: Scope, twist: Exp): void {
  const symbol = twist.kind === 'Name' ? scope.find(twist.text) : undefined
  if (twist.kind === 'Name' && symbol?.kind === 'learnedTwist' && scope.frame.module === checker.main) {
    checker.symbols.set(twist, symbol)
    checker.record(twist, weight)
    if (symbol.decl.params.length !== 1) {
      checker.report('C040', twist.span, `\`${twist.text}\` lacks its arguments`, {
        hint: `call it: \`${twist.text}(${symbol.decl.params.map((each) => each.name.text).join(', ')})\``,
      })
    }
    return
  }
  expect(checker, scope, twist, weight)
}

function checkProposal(checker: Checker, exp: Exp, proposal: Type, from: Type): void {
  if (isOpen(proposal) || isOpen(from)) return
  if (from.kind === 'Context') {
    if (proposal.kind !== 'Model' && proposal.kind !== 'Context')
      mismatch(checker, exp, context, proposal, 'a Model or a Context to propose from')
  } else if (!fits(proposal, from)) mismatch(checker, exp, from, proposal)
}
