import { Budget } from '../../src/models/budget.js'
import type { LanguageModel } from '../../src/models/model.js'

/** What Z is sure to lie between, as logarithms. */
export interface Enclosure {
  readonly low: number
  readonly high: number
}

export const before = 'Lily found a small key in the garden.'
/** The token that is observed behind a gap of one token, and of two. */
export const after = { 1: ' was', 2: ' the' } as const

/** A program for such a gap: infilling 2 -> 1, and 1 -> 1. */
export function gapProgram(gap: 1 | 2): string {
  return `model lm = "tiny"
let story = lm("${before}")
sample middle ~ story for ${gap} token${gap === 1 ? '' : 's'}
observe "${after[gap]}" ~ story
return middle`
}

/**
 * Z of both: a sum over all tokens of the vocabulary for a gap of one; for two over all pairs whose probability is above `cut`, so that Z
 * lies between that sum and that sum plus the probability of all other pairs.
 */
export async function gapSums(model: LanguageModel, cut: number): Promise<Readonly<Record<1 | 2, Enclosure>>> {
  const { vocabulary } = model
  const options = { rows: 256, live: () => [], budget: new Budget(2e9) }
  const start = model.start(vocabulary.encodePrompt(before))
  const [one, two] = ([1, 2] as const).map((gap) => {
    const tokens = vocabulary.encodeContinuation(after[gap])
    if (tokens.length !== 1) throw new Error(`${after[gap]} is ${tokens.length} tokens`)
    return tokens[0]!
  }) as [number, number]
  const next = (history: typeof start) => ({ history, temperature: 1, power: 1 })
  const [first] = await model.logProbs([next(start)], options)
  const isEnd = (id: number) => vocabulary.end.includes(id)
  const tokens = [...Array(vocabulary.size).keys()].filter((id) => !isEnd(id))
  let [Z, sum, mass] = [0, 0, 0]
  for (const end of vocabulary.end) mass += Math.exp(first![end]!)
  for (let at = 0; at < tokens.length; at += 512) {
    const some = tokens.slice(at, at + 512)
    const histories = some.map((id) => model.extend(start, id))
    const rows = await model.logProbs(histories.map(next), options)
    const pairs = some.flatMap((id, i) => {
      const log = (token: number) => first![id]! + rows[i]![token]!
      Z += Math.exp(log(one))
      for (const end of vocabulary.end) mass += Math.exp(log(end))
      return tokens.flatMap((second) =>
        log(second) > Math.log(cut) ? [{ history: model.extend(histories[i]!, second), log: log(second) }] : [],
      )
    })
    for (let from = 0; from < pairs.length; from += 512) {
      const part = pairs.slice(from, from + 512)
      const last = await model.logProbs(
        part.map(({ history }) => next(history)),
        options,
      )
      part.forEach(({ log }, i) => {
        sum += Math.exp(log + last[i]![two]!)
        mass += Math.exp(log)
      })
    }
  }
  return { 1: { low: Math.log(Z), high: Math.log(Z) }, 2: { low: Math.log(sum), high: Math.log(sum + Math.max(0, 1 - mass)) } }
}
