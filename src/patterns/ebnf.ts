import { suggest } from '../diagnostics/suggest.js'
import { codePointLimit } from './code-points.js'
import { EbnfReader, type Name } from './ebnf-reader.js'
import { patternError } from './errors.js'
import type { GrammarNodes } from './grammar-nodes.js'

/*
 * Grammars in the dialect of llama.cpp (GBNF):
 *
 *     root  ::= "[" item ("," item)* "]"     # the rule `root` is the whole text
 *     item  ::= [a-z]+ | digit{2,4}
 *     digit ::= [0-9]
 *
 * "text", [a-z], [^a-z], `.` (any character), names of rules, ( ), |, and the repetitions * + ? {m} {m,} {m,n}. Escapes, in texts and in
 * brackets: \n \r \t \\ \" \[ \] \- \^ \xHH \uHHHH \UHHHHHHHH, each of which stands for one character. A rule goes on until the next
 * `name ::=`. Rules must not begin with themselves.
 */

/** Lays a part of a grammar behind a node and returns the node behind it. */
type Part = (from: number) => number

export interface ReadGrammar {
  /** Where each rule of the nodes is defined. */
  readonly definitions: readonly Name[]
}

/** Parentheses inside each other. */
const deepest = 200
const everything = [{ min: 0, max: codePointLimit - 1 }]

/** Reads a grammar into nodes; its rule 0 is `root`. Throws P004 where it cannot be read and P005 for names. */
export function readEbnf(text: string, grammar: GrammarNodes): ReadGrammar {
  const reader = new EbnfReader(text)
  const bodies = new Map<string, { readonly name: Name; readonly body: Part }>()
  const uses: Name[] = []
  const rules = new Map<string, number>()
  let depth = 0

  const atom = (): Part | undefined => {
    const literal = reader.literal()
    if (literal !== undefined) return (from) => grammar.text(from, literal)
    const set = reader.set()
    if (set) return (from) => grammar.read(from, set)
    if (reader.take('.')) return (from) => grammar.read(from, everything)
    const open = reader.at
    if (reader.take('(')) {
      if (++depth > deepest) {
        throw reader.error(
          open,
          open + 1,
          `more than ${deepest} parentheses inside each other`,
          'give the inner ones rules of their own',
        )
      }
      const part = alternatives()
      depth--
      if (!reader.take(')')) throw reader.error(open, open + 1, 'this `(` is never closed', 'add `)`')
      return part
    }
    const name = reader.use()
    if (!name) return undefined
    uses.push(name)
    return (from) => grammar.call(from, rules.get(name.text)!)
  }
  const repeated = (): Part | undefined => {
    let part = atom()
    if (!part) reader.requirePart()
    for (let range = part && reader.repetition(); range; range = reader.repetition()) {
      const { min, max } = range
      const once: Part = part!
      part = (from) => grammar.repeat(from, min, max, once)
    }
    return part
  }
  const alternatives = (): Part => {
    const parts: Part[] = []
    do {
      const sequence: Part[] = []
      for (let part = repeated(); part; part = repeated()) sequence.push(part)
      parts.push((from) => sequence.reduce((at, part) => part(at), from))
    } while (reader.take('|'))
    const [only] = parts
    return parts.length === 1 ? only! : (from) => grammar.choice(from, parts)
  }

  for (let name = reader.definition(); name; name = reader.definition()) {
    const before = bodies.get(name.text)
    if (before) {
      throw patternError('P005', `the rule \`${name.text}\` is defined twice`, {
        place: reader.span(name.start, name.end),
        hint: 'join both with `|`, or rename one',
      })
    }
    bodies.set(name.text, { name, body: alternatives() })
  }
  reader.finish()
  checkNames(reader, [...bodies.keys()], uses)
  const root = bodies.get('root')!
  const inOrder = [root, ...[...bodies.values()].filter((each) => each !== root)]
  for (const { name } of inOrder) rules.set(name.text, grammar.rule(name.text))
  for (const { name, body } of inOrder) {
    const { start, final } = grammar.rules[rules.get(name.text)!]!
    grammar.join(body(start), final)
  }
  return { definitions: inOrder.map(({ name }) => name) }
}

function checkNames(reader: EbnfReader, defined: readonly string[], uses: readonly Name[]): void {
  if (!defined.includes('root')) {
    throw patternError('P005', 'this grammar has no rule `root`', {
      place: reader.span(0, 0),
      hint: 'name the rule for the whole text `root`',
    })
  }
  for (const { text, start, end } of uses) {
    if (defined.includes(text)) continue
    const near = suggest(text, defined)
    throw patternError('P005', `there is no rule \`${text}\``, {
      place: reader.span(start, end),
      hint: near === undefined ? `define it: \`${text} ::= ...\`` : `did you mean \`${near}\`?`,
    })
  }
}
