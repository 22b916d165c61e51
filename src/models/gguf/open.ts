import { describe } from '../architectures/index.js'
import type { Architecture, RotaryShape } from '../architectures/shape.js'
import type { ModelFiles } from '../model-files.js'
import { configOf } from './config.js'
import type { GgufHeader } from './header.js'
import { ggufTensors } from './tensors.js'
import { tokenizerFilesOf } from './tokenizer.js'
import { GgufWeights } from './weights.js'

/**
 * A model in one GGUF file: its metadata stand for config.json and the tokenizer's files, which are made when they are asked for.
 * Throws M003, M005 to M008, M016, M017.
 */
export async function openGguf(path: string): Promise<ModelFiles> {
  const weights = await GgufWeights.open(path)
  try {
    const { header } = weights
    const architecture = await architectureOf(weights, path)
    return {
      texts: {},
      weights,
      architecture,
      get tokenizer() {
        return tokenizerFilesOf(header, path)
      },
    }
  } catch (thrown) {
    await weights.close()
    throw thrown
  }
}

async function architectureOf(weights: GgufWeights, path: string): Promise<Architecture> {
  const config = configOf(weights.header, await shortFactors(weights))
  const described = describe(config, path).shape
  const shape = {
    ...described,
    // The converter has added gemma's 1 to the stored weights.
    norm: { ...described.norm, offset: 0 },
    rotary: await rescaled(weights, described.rotary),
  }
  return { shape, tensors: (has) => ggufTensors(shape, has, architectureName(weights.header) === 'llama') }
}

function architectureName({ metadata }: GgufHeader) {
  return metadata.get('general.architecture')
}

/** Llama-3's scaled positions: the file holds by what each frequency is divided. */
async function rescaled(weights: GgufWeights, rotary: readonly RotaryShape[]): Promise<readonly RotaryShape[]> {
  const name = 'rope_freqs.weight'
  const first = rotary[0]
  if (!first || !weights.has(name)) return rotary
  const factors = await weights.read(name, [first.frequencies.length])
  const frequencies = first.frequencies.map((frequency, i) => frequency / factors[i]!)
  return [{ ...first, frequencies }, ...rotary.slice(1)]
}

/** By what longrope divides each frequency in texts as long as those of the first training. */
async function shortFactors(weights: GgufWeights): Promise<number[] | null> {
  const name = 'rope_factors_short.weight'
  const stored = weights.header.tensors.get(name)
  return stored ? [...(await weights.read(name, stored.shape))] : null
}
