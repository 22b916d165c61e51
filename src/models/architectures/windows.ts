import type { ConfigReader } from './config.js'
import type { DecoderShape } from './shape.js'

/**
 * The attention window of each layer, in tokens; Infinity where a layer sees everything. `layer_types` says which layers are local, in
 * older files `isLocal`, the rule of the family. A window that holds the whole context is none. Throws M006.
 */
export function attentionWindows(
  config: ConfigReader,
  window: number | null,
  context: number,
  isLocal: (layer: number) => boolean,
): number[] {
  const layers = config.listed(config.get('num_hidden_layers') === null ? 'num_layers' : 'num_hidden_layers')
  const types = config.get('layer_types')
  config.require(
    types === null || (Array.isArray(types) && types.length === layers && types.every((type) => type === full || type === local)),
    `layer_types is not a list of ${layers} of "${full}" and "${local}"`,
  )
  const listed = types as string[] | null
  return Array.from({ length: layers }, (_, layer) => {
    const narrow = listed ? listed[layer] === local : isLocal(layer)
    return narrow && window !== null && window < context ? window : Infinity
  })
}

const full = 'full_attention'
const local = 'sliding_attention'

/** The different attention windows of a model's layers; the trunk has one set of masks for each. */
export function windowsOf(shape: DecoderShape): readonly number[] {
  return [...new Set(shape.attention.map(({ window }) => window))]
}
