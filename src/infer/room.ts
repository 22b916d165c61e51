import type { Graph } from '../graph/ir.js'
import { type Budget, bytesText, leastRows, MemoryError, stateRoom } from '../models/budget.js'
import { roundedLength } from '../models/jobs.js'
import type { LanguageModel } from '../models/model.js'
import type { ProductType } from '../models/products.js'
import type { Host } from './host/host.js'
import { leastTokens } from './lengths.js'
import type { ModelValue } from './values.js'

/** Texts of at least so many tokens are taken to be apart, one a particle; shorter ones may be shared by many. */
const apart = 8

export interface Wanted {
  readonly particles: number
  readonly dtype: ProductType
  readonly budget: Budget
  /** Models that the run has opened: the weights of those that it was handed are not its own. */
  readonly opened: readonly LanguageModel[]
}

/**
 * Refuses a run whose attention state cannot fit, before its first token, and says what would fit. It counts only what is sure: weights, and a text
 * of every particle with the tokens that `leastTokens` finds. A run that grows beyond that finds its limit while it goes (models/state.ts).
 * @param built the graph before its spans become loops
 * @throws MemoryError
 */
export function requireRoom(built: Graph, host: Host, models: readonly ModelValue[], wanted: Wanted): void {
  const { particles, dtype, budget, opened } = wanted
  const memories = models.map(({ model }) => model.memory)
  // Any of the models may be the one that writes the texts.
  const cheapest = memories.reduce((a, b) => ((a?.statePerToken ?? 0) <= (b?.statePerToken ?? 0) ? a : b), memories[0])
  if (!cheapest?.statePerToken) return
  const tokens = leastTokens(built, host)
  const weights = (type: ProductType) => opened.reduce((sum, { memory }) => sum + (memory?.weights(type) ?? 0), 0)
  const room = (type: ProductType) => stateRoom(Math.max(0, budget.most - weights(type)), cheapest)
  // Nobody asks what follows the last token, so its state is never computed.
  const bytesPerRow = (tokens: number) => (tokens > 1 ? roundedLength(tokens - 1) * cheapest.statePerToken : 0)
  const state = (particles: number, tokens: number) => Math.max(leastRows, tokens > apart ? particles : 1) * bytesPerRow(tokens)
  if (state(particles, tokens) <= room(dtype)) return

  const fewer = Math.floor(room(dtype) / bytesPerRow(tokens))
  let shorter = tokens - 1
  while (shorter > apart && state(particles, shorter) > room(dtype)) shorter--
  const ways = [
    ...(tokens > apart && fewer >= leastRows ? [`\`--particles ${fewer}\` fits`] : []),
    ...(shorter > apart ? [`${shorter} tokens fit`] : []),
    ...(dtype === 'fp32' && state(particles, tokens) <= room('int8') ? ['`--dtype int8` fits'] : []),
  ]
  const texts = tokens > apart && particles > 1 ? `${particles} texts` : 'a text'
  throw new MemoryError(
    `${texts} of ${tokens} tokens need ${bytesText(state(particles, tokens))} for attention state, and ${bytesText(room(dtype))} of the ${bytesText(budget.most)} that the run may take are left for it`,
    `${ways.length > 0 ? ways.join(', ') : 'take a smaller model'}; \`--max-memory\` sets how much it may take`,
  )
}
