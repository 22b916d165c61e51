import { has } from '../../src/models/token-set.js'
import type { ByteAutomaton, Pattern, PatternState } from '../../src/patterns/pattern.js'

const encoder = new TextEncoder()

/** The state behind some bytes; -1 when it is dead. */
export function stateAfter(automaton: ByteAutomaton, bytes: Uint8Array): number {
  let state = automaton.start
  for (const byte of bytes) {
    state = automaton.step(state, byte)
    if (state < 0) return -1
  }
  return state
}

export function accepts(automaton: ByteAutomaton, text: string): boolean {
  const state = stateAfter(automaton, encoder.encode(text))
  return state >= 0 && automaton.accepting(state)
}

/** The shortest bytes that complete a text from a state; undefined when `limit` states hold none. */
export function completion(automaton: ByteAutomaton, state: number, limit = 100_000): Uint8Array | undefined {
  const seen = new Set([state])
  const waiting: { readonly state: number; readonly bytes: readonly number[] }[] = [{ state, bytes: [] }]
  for (let at = 0; at < waiting.length && at < limit; at++) {
    const { state, bytes } = waiting[at]!
    if (automaton.accepting(state)) return Uint8Array.from(bytes)
    for (let byte = 0; byte < 256; byte++) {
      const next = automaton.step(state, byte)
      if (next < 0 || seen.has(next)) continue
      seen.add(next)
      waiting.push({ state: next, bytes: [...bytes, byte] })
    }
  }
  return undefined
}

export function tokensOf(state: PatternState, size: number): number[] {
  return Array.from({ length: size }, (_, token) => token).filter((token) => has(state.allowed, token))
}

export interface Walk {
  readonly states: readonly PatternState[]
  readonly tokens: readonly number[]
  /** Whether it ended where the text may stop. */
  readonly complete: boolean
}

/** A way of allowed tokens that `choose` picks, until it stops (undefined), nothing can follow, or `limit` tokens. */
export function walk(
  pattern: Pattern,
  size: number,
  limit: number,
  choose: (tokens: readonly number[], state: PatternState) => number | undefined,
): Walk {
  const states = [pattern.start]
  const tokens: number[] = []
  for (let state = pattern.start; tokens.length < limit; ) {
    const token = state.allowed.count > 0 ? choose(tokensOf(state, size), state) : undefined
    if (token === undefined) return { states, tokens, complete: state.accepting }
    state = state.next(token)
    states.push(state)
    tokens.push(token)
  }
  return { states, tokens, complete: states.at(-1)!.accepting }
}
