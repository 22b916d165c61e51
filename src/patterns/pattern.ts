import type { TokenSet } from '../models/token-set.js'

/** What a text may become. Immutable; equal texts (and, for regular expressions, equal states of the automaton) give the same object. */
export interface PatternState {
  /** Whether the text so far is a full match. */
  readonly accepting: boolean
  /**
   * Tokens after which the text can still be completed to a full match (by bytes: whether the vocabulary has tokens for the rest does
   * not matter). Never a token without bytes (end and other special tokens). Computed when first asked, then kept.
   */
  readonly allowed: TokenSet
  /** The state after an allowed token. Throws RangeError for any other. */
  next(token: number): PatternState
}

/** Texts of a vocabulary that fit one pattern as a whole. */
export interface Pattern {
  readonly start: PatternState
}

/** An automaton over bytes whose states are numbers and in which every state can still reach a full match. */
export interface ByteAutomaton {
  readonly start: number
  /** Bytes of the shortest full match, where that is known. */
  readonly fewestBytes?: number
  accepting(state: number): boolean
  /** The state after a byte; -1 when no full match begins that way. */
  step(state: number, byte: number): number
}
