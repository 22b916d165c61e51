import type { Graph } from '../../graph/ir.js'
import type { LanguageModel } from '../../models/model.js'
import { standIn } from '../../models/stand-in.js'
import type { ByteAutomaton } from '../../patterns/pattern.js'
import { createHost } from '../host/host.js'
import { link } from '../link.js'
import { philoxRandomness } from '../philox.js'

/** Of the program's own texts, for a token that a person can still read in a table. */
const longestToken = 60
/** `repeat` of the numbers that make tables. */
const tables = 2 ** 42

/**
 * Small tables over the same few tokens, one for each model of a graph. Tokens are made of the program's own texts, so that what it asks of a
 * text can come true: texts that fit its patterns first, then the shortest that it writes out; and one more that it does not mention.
 * @param fromProgram how many of its texts become tokens
 */
export function standIns(
  graph: Graph,
  literals: readonly string[],
  fromProgram: number,
  seed: number,
): { readonly models: Readonly<Record<string, LanguageModel>>; readonly tokens: readonly string[] } {
  const short = literals.filter((text) => text.length <= longestToken).sort((a, b) => a.length - b.length)
  const patterns = patternTexts(graph)
  const wanted = [...patterns, ...short].filter((text, i, all) => all.indexOf(text) === i)
  const chosen = wanted.slice(0, Math.max(fromProgram, patterns.length))
  const filler = [' a', ' b', ' c'].filter((text) => !chosen.includes(text))
  const tokens = [...chosen, ...filler.slice(0, chosen.length < 2 ? 2 : 1)]
  const random = philoxRandomness(seed, tables)
  const models = Object.fromEntries(
    graph.models.map(({ name, id }, number) => [name, standIn(`a table for ${id}`, tokens, random, number)]),
  )
  return { models, tokens }
}

/** For each pattern that is known before a run, a text that fits it, and another where there is one. */
function patternTexts(graph: Graph): string[] {
  if (graph.patterns.length === 0) return []
  const host = createHost([...graph.sites], [])
  const texts = link(graph, host).patterns.flatMap(({ value, of }) => {
    let automaton: ByteAutomaton
    try {
      automaton = host.automaton(value([]), host.siteOf(of.pattern.span))
    } catch {
      // It depends on a param, or is malformed, which the run says in its own words.
      return []
    }
    return [shortest(automaton, letters), shortest(automaton, [...letters].reverse())].flatMap((text) => text ?? [])
  })
  return [...new Set(texts)].slice(0, 3)
}

/** Bytes in the order in which they are tried: what people can read first. */
const letters = [...range(97, 122), ...range(65, 90), ...range(48, 57), ...range(32, 126), ...range(0, 255)]
const mostStates = 20_000

/** The shortest text that an automaton accepts, not the empty one; null where the search is too long, or finds broken UTF-8. */
function shortest(automaton: ByteAutomaton, order: readonly number[]): string | null {
  interface Reached {
    readonly state: number
    readonly byte: number
    readonly before: Reached | null
  }
  const seen = new Set<number>()
  let front: Reached[] = [{ state: automaton.start, byte: -1, before: null }]
  while (front.length > 0 && seen.size < mostStates) {
    const next: Reached[] = []
    for (const before of front) {
      for (const byte of order) {
        const state = automaton.step(before.state, byte)
        if (state < 0 || seen.has(state)) continue
        seen.add(state)
        const here = { state, byte, before }
        if (automaton.accepting(state)) {
          const bytes: number[] = []
          for (let at: Reached | null = here; at && at.byte >= 0; at = at.before) bytes.push(at.byte)
          const text = Buffer.from(bytes.reverse()).toString('utf8')
          return text.includes('�') ? null : text
        }
        next.push(here)
      }
    }
    front = next
  }
  return null
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}
