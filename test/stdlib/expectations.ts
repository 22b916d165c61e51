import { compile, SmcError } from '../../src/index.js'
import { enumerate } from '../../src/infer/enumerate.js'
import type { Json } from '../../src/infer/result.js'
import { TableModel } from '../../src/models/table.js'

/** Four tokens, one of which ends the text and one a sentence. */
export const table = {
  tokens: ['a', 'b', '.', '$'],
  order: 1,
  end: '$',
  next: {
    '': [0.4, 0.3, 0.2, 0.1],
    a: [0.2, 0.5, 0.2, 0.1],
    b: [0.6, 0.1, 0.1, 0.2],
    '.': [0.3, 0.3, 0.1, 0.3],
    $: [0, 0, 0, 1],
  },
}

/** p(tokens | before), by the table itself; the empty text has probability 1. */
export function p(tokens: string, before = ''): number {
  let last = before.slice(-1)
  let product = 1
  for (const token of tokens) {
    product *= table.next[last as keyof typeof table.next]![table.tokens.indexOf(token)]!
    last = token
  }
  return product
}

/** The same where every row is raised to 1 / temperature. */
export function tempered(tokens: string, before: string, temperature: number): number {
  let last = before.slice(-1)
  let product = 1
  for (const token of tokens) {
    const row = table.next[last as keyof typeof table.next].map((chance) => chance ** (1 / temperature))
    product *= row[table.tokens.indexOf(token)]! / row.reduce((sum, chance) => sum + chance, 0)
    last = token
  }
  return product
}

/** All texts of 1 to `most` tokens in which the end token, if at all, stands last. */
export function texts(most: number): string[] {
  if (most === 0) return []
  const longer = texts(most - 1)
  return [
    ...table.tokens,
    ...longer.flatMap((text) => table.tokens.filter((token) => token !== '$').map((token) => token + text)),
  ]
}

/** Adds up the target of every value. */
export function sum(entries: Iterable<readonly [Json, number]>): Map<string, number> {
  const total = new Map<string, number>()
  for (const [value, weight] of entries) {
    const key = JSON.stringify(value)
    if (weight > 0) total.set(key, (total.get(key) ?? 0) + weight)
  }
  return total
}

/** E[Z-hat P-hat(value)] over all random choices of the sampler, for every value: what the target says, if the sampler is right. */
export async function expectedMeasure(
  source: string,
  settings: { readonly particles: number; readonly threshold: number },
  model: object = table,
): Promise<Map<string, number>> {
  const program = await compile(source, { path: 'test.smc' })
  const models = { lm: TableModel.parse('table', JSON.stringify(model)) }
  const measure: [Json, number][] = []
  const runs = enumerate(
    async (random) => {
      try {
        return await program.run({}, { ...settings, seed: 0, random, models })
      } catch (error) {
        if (error instanceof SmcError && error.diagnostics[0]?.code === 'R003') return null
        throw error
      }
    },
    { limit: 50_000 },
  )
  for await (const { probability, result } of runs) {
    if (result?.logZ == null) continue
    for (const entry of result.posterior) measure.push([entry.value, probability * Math.exp(result.logZ) * entry.probability])
  }
  return sum(measure)
}
