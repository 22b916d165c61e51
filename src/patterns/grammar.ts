import type { SmcError } from '../diagnostics/diagnostic.js'
import type { Vocabulary } from '../models/model.js'
import { automatonPattern } from './automaton-pattern.js'
import { readEbnf } from './ebnf.js'
import { patternError, placeIn } from './errors.js'
import { grammarAutomaton } from './grammar-automaton.js'
import { leftCircle, productive, reachable } from './grammar-facts.js'
import { GrammarNodes } from './grammar-nodes.js'
import type { ByteAutomaton, Pattern } from './pattern.js'
import { TooLarge } from './regex-nfa.js'

/**
 * Texts of a grammar (the dialect is told in ebnf.ts). Throws P004 where it cannot be read, P005 for names of rules, P006 for a rule that
 * begins with itself, P001 for a rule that no text fits, P002 when no token can begin, P003 when it is too large.
 */
export async function grammarPattern(ebnf: string, vocabulary: Vocabulary): Promise<Pattern> {
  return automatonPattern(ebnfAutomaton(ebnf), vocabulary)
}

/** Throws as `grammarPattern` does, P002 excepted. */
export function ebnfAutomaton(ebnf: string): ByteAutomaton {
  const grammar = new GrammarNodes()
  const definitions = withinLimits(ebnf, () => readEbnf(ebnf, grammar)).definitions
  const fault = (rule: number, code: string, message: string, hint: string): SmcError => {
    const { start, end } = definitions[rule]!
    return patternError(code, message, { place: placeIn('the grammar', ebnf, start, end), hint })
  }
  const needed = reachable(grammar)
  const { rules } = productive(grammar)
  // The last one named is the most likely cause: rules are mostly written before those that they need.
  const barren = [...needed].filter((rule) => !rules[rule]).sort((a, b) => b - a)[0]
  if (barren !== undefined) {
    const message = `no text fits the rule \`${definitions[barren]!.text}\``
    throw fault(barren, 'P001', message, 'give it an alternative that comes to an end')
  }
  const circle = leftCircle(grammar)
  if (circle) {
    const names = circle.map((rule) => `\`${definitions[rule]!.text}\``)
    const message =
      names.length === 1
        ? `the rule ${names[0]} begins with itself`
        : `the rule ${names[0]} begins with ${names.slice(1).join(', which begins with ')}, which begins with ${names[0]}`
    throw fault(circle[0]!, 'P006', message, 'write the repetition with `*`: `list ::= item ("," item)*`')
  }
  return grammarAutomaton(grammar)
}

function withinLimits<T>(ebnf: string, build: () => T): T {
  try {
    return build()
  } catch (thrown) {
    if (!(thrown instanceof TooLarge)) throw thrown
    throw patternError('P003', 'this grammar needs too many states to follow', {
      place: placeIn('the grammar', ebnf, 0, ebnf.length),
      hint: 'lower the counts of its repetitions',
    })
  }
}
