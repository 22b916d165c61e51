import { firstFault } from '../check/regex-syntax.js'
import type { Span } from '../diagnostics/span.js'
import type { Vocabulary } from '../models/model.js'
import { automatonPattern } from './automaton-pattern.js'
import { byteDfa } from './byte-dfa.js'
import type { CharacterDfa } from './character-dfa.js'
import { patternError, placeIn } from './errors.js'
import { minimise } from './minimise.js'
import type { ByteAutomaton, Pattern } from './pattern.js'
import { determinise } from './regex-dfa.js'
import { regexNfa, TooLarge } from './regex-nfa.js'

/**
 * Texts that a regular expression of JavaScript (`u` flag, flags i, m and s) matches as a whole, without look-around and back-references.
 * Throws C080 to C082 for a malformed one, P001 when nothing matches, P002 when no token can begin, P003 when it is too large.
 */
export function regexPattern(source: string, flags: string, vocabulary: Vocabulary): Pattern {
  return automatonPattern(regexAutomaton(source, flags), vocabulary)
}

/** Texts of a list. Throws P001 when it is empty, P002 when no token can begin. */
export function choicePattern(texts: readonly string[], vocabulary: Vocabulary): Pattern {
  const source = texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|')
  return regexPattern(texts.length === 0 ? '[]' : source, 'u', vocabulary)
}

/** The smallest automaton over bytes. Throws as `regexPattern` does, P002 excepted. */
export function regexAutomaton(source: string, flags: string): ByteAutomaton {
  const place = placeIn('the pattern', source, 0, source.length)
  const smallest = regexDfa(source, flags)
  if (smallest.dfa.size === 0) {
    throw patternError('P001', 'no text fits this pattern', { place, hint: 'mend the part that nothing fits' })
  }
  return withinLimits(place, () => byteDfa(smallest))
}

/** The smallest automaton over characters. Throws C080 to C082 and P003. */
export function regexDfa(source: string, flags: string): CharacterDfa {
  const stranger = [...flags].find((flag) => !'imsu'.includes(flag))
  if (stranger !== undefined) {
    throw patternError('C082', `there is no flag \`${stranger}\``, {
      hint: 'the flags are `i` (case), `m` (lines) and `s` (dot matches line breaks)',
    })
  }
  const fault = firstFault(source, flags)
  if (fault) {
    throw patternError(fault.kind === 'syntax' ? 'C080' : 'C081', fault.message, {
      place: placeIn('the pattern', source, fault.start, fault.end),
      hint: fault.hint,
    })
  }
  return withinLimits(placeIn('the pattern', source, 0, source.length), () => {
    const nfa = regexNfa(source, flags)
    return { dfa: minimise(determinise(nfa)), alphabet: nfa.alphabet }
  })
}

function withinLimits<T>(place: Span, build: () => T): T {
  try {
    return build()
  } catch (thrown) {
    if (!(thrown instanceof TooLarge)) throw thrown
    throw patternError('P003', 'this pattern needs too many states to follow', {
      place,
      hint: 'lower the counts of its repetitions, or replace nested ones by `*`',
    })
  }
}
