import { Budget } from '../../src/models/budget.js'
import type { History, LanguageModel } from '../../src/models/model.js'
import { Path } from '../../src/models/path.js'

/** What Z is sure to lie between, as logarithms. */
export interface Enclosure {
  readonly low: number
  readonly high: number
}

export const before = 'Lily found a small key in the garden.'
/** The token that is observed behind a gap of one token, and of two. */
export const after = { 1: ' was', 2: ' the' } as const

/** A program for such a gap: infilling 2 -> 1, and 1 -> 1. `twisted`: by the probability of what is observed, if it came next. */
export function gapProgram(gap: 1 | 2, twisted = false): string {
  return `model lm = "tiny"
let story = lm("${before}")
sample middle ~ story for ${gap} token${gap === 1 ? '' : 's'}${twisted ? ` twisted by story.prob("${after[gap]}")` : ''}
observe "${after[gap]}" ~ story
return middle`
}

/** Rows of one call of the model. */
const rows = 256
/** Pairs that are asked about together. */
const together = 4096

interface Pair {
  readonly history: History
  readonly second: number
  readonly log: number
}

/**
 * Z of both: a sum over all tokens of the vocabulary for a gap of one; for two over all pairs whose probability is above `cut`. What follows
 * any other pair has a probability of at most 1, so Z lies between that sum and that sum plus the probability of the other pairs. A cut of 0
 * leaves none out: 16.8 million pairs, which take hours.
 * @param onFirsts told how many of the first tokens are done
 */
export async function gapSums(
  model: LanguageModel,
  cut: number,
  onFirsts: (done: number, all: number, pairs: number) => void = () => {},
): Promise<Readonly<Record<1 | 2, Enclosure>>> {
  const { vocabulary } = model
  const options = { rows, live: () => [], budget: new Budget(2e9) }
  const start = model.start(vocabulary.encodePrompt(before))
  const [one, two] = ([1, 2] as const).map((gap) => {
    const tokens = vocabulary.encodeContinuation(after[gap])
    if (tokens.length !== 1) throw new Error(`${after[gap]} is ${tokens.length} tokens`)
    return tokens[0]!
  }) as [number, number]
  const next = (history: History) => ({ history, temperature: 1, power: 1 })
  const [first] = await model.logProbs([next(start)], options)
  const isEnd = (id: number) => vocabulary.end.includes(id)
  const tokens = [...Array(vocabulary.size).keys()].filter((id) => !isEnd(id))
  const least = Math.log(cut)
  let [Z, sum, mass, pairs] = [0, 0, 0, 0]
  for (const end of vocabulary.end) mass += Math.exp(first![end]!)
  const add = async (some: readonly Pair[]) => {
    const requests = some.map(({ history, second }) => ({ history, tokens: [second, two], temperature: 1, keep: false }))
    const scores = await model.score(requests, options)
    some.forEach(({ log }, i) => {
      sum += Math.exp(log + scores[i]![1]!)
      mass += Math.exp(log)
    })
    pairs += some.length
    // A history remembers those that went on from it, and there are too many of them.
    for (const { history } of some) if (history instanceof Path) history.children.clear()
  }
  let waiting: Pair[] = []
  for (let at = 0; at < tokens.length; at += rows) {
    const some = tokens.slice(at, at + rows)
    const histories = some.map((id) => model.extend(start, id))
    const behind = await model.logProbs(histories.map(next), options)
    for (const [i, id] of some.entries()) {
      const log = (token: number) => first![id]! + behind[i]![token]!
      Z += Math.exp(log(one))
      for (const end of vocabulary.end) mass += Math.exp(log(end))
      for (const second of tokens) {
        if (log(second) <= least) continue
        waiting.push({ history: histories[i]!, second, log: log(second) })
        if (waiting.length < together) continue
        await add(waiting)
        waiting = []
      }
    }
    onFirsts(at + some.length, tokens.length, pairs + waiting.length)
  }
  await add(waiting)
  const rest = cut === 0 ? 0 : Math.max(0, 1 - mass)
  return { 1: { low: Math.log(Z), high: Math.log(Z) }, 2: { low: Math.log(sum), high: Math.log(sum + rest) } }
}
