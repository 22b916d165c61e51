import { type DrawRequest, freely, type History, type LanguageModel } from '../../src/models/model.js'
import type { DrawKey } from '../../src/models/randomness.js'
import { withoutEnd } from '../../src/models/token-set.js'
import { hashed, key } from './fixed-randomness.js'

/** Which next tokens a draw may return. */
export type Mask = 'all' | 'notEnd'

/** A draw from one history. */
export function drawing(
  model: LanguageModel,
  history: History,
  mask: Mask = 'all',
  { temperature = 1, random = hashed, at = key(0) }: { temperature?: number; random?: typeof hashed; at?: DrawKey } = {},
): DrawRequest {
  return {
    ...freely(history, temperature),
    allowed: mask === 'notEnd' ? withoutEnd(model.vocabulary) : null,
    random,
    key: at,
  }
}
