import type { Vocabulary } from '../models/model.js'
import { automatonPattern } from './automaton-pattern.js'
import { patternError } from './errors.js'
import { grammarAutomaton } from './grammar-automaton.js'
import { leftCircle, productive } from './grammar-facts.js'
import type { ByteAutomaton, Pattern } from './pattern.js'
import { TooLarge } from './regex-nfa.js'
import { SchemaNodes } from './schema-nodes.js'

/** Lists and records inside each other. */
const deepest = 200

/**
 * Texts in JSON whose value fits a schema (JSON Schema, draft 2020-12; which keywords is told in schema-keywords.ts, the spelling in
 * schema-nodes.ts). Throws P007 for a malformed schema, P008 for what is not supported, P001 when no value fits, P002 when no token can
 * begin, P003 when it is too large.
 */
export async function jsonPattern(schema: unknown, vocabulary: Vocabulary): Promise<Pattern> {
  return automatonPattern(schemaAutomaton(schema), vocabulary)
}

/** Throws as `jsonPattern` does, P002 excepted. */
export function schemaAutomaton(schema: unknown): ByteAutomaton {
  if (isDeep(schema)) {
    const hint = 'put its parts into `$defs` and refer to them'
    throw patternError('P003', `this schema is nested more than ${deepest} deep`, { hint })
  }
  try {
    const { nodes } = new SchemaNodes(schema)
    const circle = leftCircle(nodes)
    const barren = circle?.[0] ?? (productive(nodes).rules[0] ? undefined : 0)
    if (barren !== undefined) {
      throw patternError('P001', `no value fits, at \`${nodes.rules[barren]!.name}\` in the schema`, {
        hint: circle
          ? 'a reference must not lead to itself alone'
          : 'mend the bounds that contradict each other, or end the recursion with "null" or a property that need not be there',
      })
    }
    return grammarAutomaton(nodes)
  } catch (thrown) {
    if (!(thrown instanceof TooLarge)) throw thrown
    throw patternError('P003', 'this schema needs too many states to follow', {
      hint: 'lower its counts and lengths, or write fewer cases',
    })
  }
}

function isDeep(schema: unknown): boolean {
  let level = [schema]
  for (let depth = 0; depth <= deepest; depth++) {
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []))
    if (level.length === 0) return false
  }
  return true
}
