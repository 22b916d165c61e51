import type { Span } from '../diagnostics/span.js'
import type { Value } from './values.js'

/** One thing that a particle has drawn: a token (`stopped` where the draw has ended a text without one), or a value of a distribution. */
export type Choice = { readonly token: number } | { readonly value: Value }

/** What a particle has drawn so far, the last choice first. Copies of a particle share it. */
export interface Trace {
  readonly choice: Choice
  readonly before: Trace | null
  readonly length: number
}

/** What a statement has observed: a value, or the tokens of a text. */
export interface Datum {
  /** Of the statement. */
  readonly span: Span
  readonly value: Value
  /** What the program itself has there, which must be the same for all particles: else it would be no data. */
  readonly own: Value
  /** As expressions see it: the value, or the text. */
  readonly shown: Value
}

/** Observations differ from run to run, or cannot be drawn: there are no drawn data to bound with. */
export class NoData extends Error {
  override readonly name = 'NoData'

  constructor(
    readonly span: Span,
    readonly why: string,
  ) {
    super(why)
  }
}

/** A factor is above 1: its runs cannot be accepted with a probability. */
export class RisingWeight extends Error {
  override readonly name = 'RisingWeight'

  constructor(
    readonly span: Span,
    readonly log: number,
  ) {
    super('a weight is above 1')
  }
}

export function extended(before: Trace | null, choice: Choice): Trace {
  return { choice, before, length: 1 + (before?.length ?? 0) }
}

/** The choices in the order in which they were made. */
export function choicesOf(trace: Trace | null): Choice[] {
  const choices: Choice[] = []
  for (let at = trace; at; at = at.before) choices.push(at.choice)
  return choices.reverse()
}
