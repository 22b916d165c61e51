import type { Vocabulary } from '../models/model.js'
import type { TokenSet } from '../models/token-set.js'
import { ByteTrie } from './byte-trie.js'
import { patternError } from './errors.js'
import type { ByteAutomaton, Pattern, PatternState } from './pattern.js'
import { TokenSets } from './token-sets.js'

/** The pattern of an automaton: one PatternState for each state of the automaton that a text reaches. Throws P002. */
export function automatonPattern(automaton: ByteAutomaton, vocabulary: Vocabulary): Pattern {
  const trie = ByteTrie.of(vocabulary)
  const sets = new TokenSets()
  const states = new Map<number, State>()
  const stateOf = (id: number): State => {
    let state = states.get(id)
    if (!state) states.set(id, (state = new State(id)))
    return state
  }

  class State implements PatternState {
    readonly accepting: boolean
    #allowed: TokenSet | undefined

    constructor(private readonly id: number) {
      this.accepting = automaton.accepting(id)
    }

    get allowed(): TokenSet {
      return (this.#allowed ??= sets.of(trie.mask(automaton, this.id)))
    }

    next(token: number): PatternState {
      const bytes = vocabulary.bytes(token)
      let id = this.id
      for (let i = 0; i < bytes.length && id >= 0; i++) id = automaton.step(id, bytes[i]!)
      if (id < 0 || bytes.length === 0) throw new RangeError(`token ${token} does not go on with this pattern`)
      return stateOf(id)
    }
  }

  const start = stateOf(automaton.start)
  if (!start.accepting && start.allowed.count === 0) {
    throw patternError('P002', 'no token of the model can begin a text that fits this pattern', {
      hint: 'ask for a text that the model can spell, or take another model',
    })
  }
  return { start }
}
