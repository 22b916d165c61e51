import type * as ohm from 'ohm-js'
import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Source } from '../diagnostics/span.js'
import type * as ast from './ast.js'
import { checkDepth } from './depth.js'
import { grammar } from './grammar.js'
import { explainMistake } from './mistakes.js'
import { type Scan, scan } from './scan.js'
import { treeOf } from './tree.js'

export { decode } from './decode.js'
export { grammarText } from './grammar.js'

/*
 * Text to tree, through ohm. A program is cut where a top-level statement surely begins (scan.ts) and matched
 * piece by piece: ohm keeps a table of what it tried at every character, which for a long program would fill the memory.
 */

const longestProgram = 1_000_000
/** Of one top-level statement: ohm takes about 3 kB of memory for each character until it is done with it. */
const longestStatement = 100_000
const pieceLength = 1500

/**
 * The tree of a program. Throws an SmcError with one diagnostic, the first syntax error; brackets and strings that do not
 * close go before all others. Positions are UTF-16 offsets in `source.text`.
 */
export function parse(source: Source): ast.Program {
  checkSize(source)
  const found = scan(source)
  const items: (ast.Decl | ast.Stmt)[] = []
  for (const [start, end] of pieces(source, found.cuts)) {
    if (end - start > longestStatement) throw tooLong(source, start, `a statement is longer than ${longestStatement} characters`)
    try {
      items.push(...parsePiece(source, found, start, end))
    } catch (error) {
      if (error instanceof RangeError) throw tooDeep(source, start)
      throw error
    }
  }
  const program: ast.Program = {
    source,
    items,
    comments: found.comments,
    span: { source, start: 0, end: source.text.length },
  }
  checkDepth(program)
  return program
}

/** Whether the grammar's rule matches the whole text, for the examples beside the rules. */
export function matchesRule(text: string, rule: string): boolean {
  return grammar.match(text, rule).succeeded()
}

/** The names of the grammar's own rules. */
export function ruleNames(): string[] {
  return Object.keys(grammar.rules)
}

function checkSize(source: Source): void {
  const nul = source.text.indexOf('\0')
  if (nul >= 0) {
    const span = { source, start: nul, end: nul + 1 }
    throw new SmcError(diagnostic('S022', span, 'the program has a NUL character', { hint: 'is this a text file?' }))
  }
  if (source.text.length > longestProgram) throw tooLong(source, 0, `the program is longer than ${longestProgram} characters`)
}

function tooLong(source: Source, start: number, message: string): SmcError {
  const hint = 'put data into a params file (--params), and functions into files of their own (use)'
  return new SmcError(diagnostic('S020', { source, start, end: start + 1 }, message, { hint }))
}

// The limits of scan.ts and depth.ts come first; this is for a host with a smaller stack.
function tooDeep(source: Source, start: number): SmcError {
  const hint = 'give the inner parts names with let'
  return new SmcError(diagnostic('S019', { source, start, end: start + 1 }, 'a statement is nested too deeply', { hint }))
}

/** Whole statements, some 1500 characters together. */
function* pieces(source: Source, cuts: readonly number[]): Iterable<readonly [number, number]> {
  let start = 0
  for (const [i, cut] of cuts.entries()) {
    const next = cuts[i + 1] ?? source.text.length
    if (cut > start && next - start > pieceLength) {
      yield [start, cut]
      start = cut
    }
  }
  yield [start, source.text.length]
}

/**
 * What may follow a text, as ohm names it. Asked of the text before the token that does not fit and a character that fits nowhere:
 * inside a word (`untill`) ohm only knows that `until` did not end there.
 */
function expectedAt(text: string): ReadonlySet<string> {
  const match = grammar.match(`${text}\u{1}`)
  const failed = match as ohm.FailedMatchResult & { getRightmostFailures(): { toString(): string }[] }
  return new Set(failed.getRightmostFailures().map(String))
}

function parsePiece(source: Source, found: Scan, start: number, end: number): (ast.Decl | ast.Stmt)[] {
  const match = grammar.match(source.text.slice(start, end))
  if (match.failed()) {
    const offset = start + (match as ohm.FailedMatchResult).getRightmostFailurePosition()
    throw new SmcError(explainMistake(source, found.tokens, offset, (at) => expectedAt(source.text.slice(start, at))))
  }
  return treeOf(match, source, start)
}
