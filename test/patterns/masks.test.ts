import { expect, it } from 'vitest'
import { openModel } from '../../src/models/registry.js'
import { ebnfAutomaton, grammarPattern } from '../../src/patterns/grammar.js'
import { regexAutomaton, regexPattern } from '../../src/patterns/regex.js'
import { jsonPattern, schemaAutomaton } from '../../src/patterns/schema.js'
import { stateAfter, tokensOf, walk } from './walk.js'

const schema = { type: 'object', properties: { name: { type: 'string', maxLength: 9 }, n: { type: 'integer', minimum: -7 } } }
const grammar = 'root ::= line+\nline ::= [A-Z] [a-z]* (" " [^ \\n.]+)* "." "\\n"?\n'

it('of models/tiny allow exactly the tokens that, taken one by one, can be completed', async () => {
  const model = await openModel('tiny', { base: '.' })
  const { vocabulary } = model
  const cases = [
    [regexPattern(' ?[A-Z][a-z]+(?: \\w+){0,3}[.!]', '', vocabulary), regexAutomaton(' ?[A-Z][a-z]+(?: \\w+){0,3}[.!]', '')],
    [regexPattern('[^a]*é+', 's', vocabulary), regexAutomaton('[^a]*é+', 's')],
    [await jsonPattern(schema, vocabulary), schemaAutomaton(schema)],
    [await grammarPattern(grammar, vocabulary), ebnfAutomaton(grammar)],
  ] as const
  for (const [pattern, automaton] of cases) {
    let count = 0
    const { states, tokens } = walk(pattern, vocabulary.size, 12, (allowed) => allowed[(count += 37) % allowed.length])
    expect(states.length).toBeGreaterThan(5)
    for (const [i, state] of states.entries()) {
      const before = tokens.slice(0, i).flatMap((token) => [...vocabulary.bytes(token)])
      const alive = Array.from({ length: vocabulary.size }, (_, token) => token).filter((token) => {
        const bytes = vocabulary.bytes(token)
        return bytes.length > 0 && stateAfter(automaton, Uint8Array.from([...before, ...bytes])) >= 0
      })
      expect(tokensOf(state, vocabulary.size)).toEqual(alive)
      expect(state.allowed.count).toBe(alive.length)
    }
  }
  await model.dispose()
})
