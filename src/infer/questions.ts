import { SmcError } from '../diagnostics/diagnostic.js'
import { MemoryError } from '../models/budget.js'
import type { LanguageModel } from '../models/model.js'
import type { Particle } from './particle.js'

/**
 * What a model answers to a batch. Its errors know no place in the program: they get that of the particle whose request fails alone.
 */
export async function placed<Request, Reply>(
  requests: readonly Request[],
  particles: readonly Particle[],
  ask: (requests: readonly Request[]) => Promise<Reply[]>,
): Promise<Reply[]> {
  try {
    return await ask(requests)
  } catch (error) {
    if (!(error instanceof SmcError) || error instanceof MemoryError || error.diagnostics.some((d) => d.span)) throw error
    for (const [i, request] of requests.entries()) {
      try {
        await ask([request])
      } catch {
        const { span } = particles[i]!.step
        throw new SmcError(
          error.diagnostics.map((d) => ({ ...d, span })),
          error.blame,
        )
      }
    }
    throw error
  }
}

export function byModel<T>(items: readonly T[], modelOf: (item: T) => LanguageModel): Map<LanguageModel, T[]> {
  const groups = new Map<LanguageModel, T[]>()
  for (const item of items) {
    const model = modelOf(item)
    const group = groups.get(model)
    if (group) group.push(item)
    else groups.set(model, [item])
  }
  return groups
}
