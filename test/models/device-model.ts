import { DeviceTrunk } from '../../src/models/device-trunk.js'
import { Head } from '../../src/models/head.js'
import { locate } from '../../src/models/locate.js'
import { openFiles } from '../../src/models/model-files.js'
import { SubwordVocabulary } from '../../src/models/tokenizer.js'
import { Transformer } from '../../src/models/transformer.js'
import type { Device } from '../../src/tensor/session.js'

/** A model that keeps its state as on a device, on any device: on the CPU too, where these graphs and their state are tested without a card. */
export async function openWithDeviceState(id: string, base: string, device: Device): Promise<Transformer> {
  const { architecture, tokenizer, weights } = await openFiles(await locate(id, base))
  try {
    const { shape } = architecture
    const tensors = architecture.tensors((name) => weights.has(name))
    const vocabulary = new SubwordVocabulary(id, shape.vocabulary, tokenizer)
    const trunk = await DeviceTrunk.open(shape, tensors, weights, device)
    const head = await Head.open(shape, tensors, weights, vocabulary.end, 'fp32', undefined, device)
    return new Transformer(id, 'none', vocabulary, trunk, head)
  } finally {
    await weights.close()
  }
}
