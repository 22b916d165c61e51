import { join } from 'node:path'
import { widenHalves } from '../../tensor/floats.js'
import { modelError } from '../errors.js'
import { type JsonObject, parseObject, readRequired } from '../json.js'
import { modelHash } from '../model-hash.js'
import { Weights } from '../safetensors.js'
import { type Classifier, type Judgement, logSigmoid } from './classifier.js'

/** Words in a feature, at most. */
const longest = 3

const word = /[a-z0-9\u0080-\u{10ffff}]+(?:'[a-z0-9\u0080-\u{10ffff}]+)*|[!?]/gu
const typography: Readonly<Record<string, string>> = {
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '–': ' ',
  '—': ' ',
  '…': ' ',
  '\u00a0': ' ',
}

/**
 * The built-in classifier of film reviews: a logistic regression over the distinct words, pairs and triples of neighbouring words
 * (features) that a text has,
 *
 *     log(p / (1 - p)) = bias + scale * n^-exponent * (sum of the weights of its n known features)
 *
 * `models/train_sentiment.py` trains it and computes the same. A feature is kept as the FNV-1a hash (Fowler, Noll, Vo; 32 bits, over
 * UTF-8) of its words with spaces between; an unknown one has the hash of a known one about once in 20,000 times.
 */
export class Sentiment implements Classifier {
  readonly labels = ['negative', 'positive']
  readonly exclusive = true
  readonly window = Number.POSITIVE_INFINITY

  private constructor(
    readonly id: string,
    readonly hash: string,
    /** Ascending. */
    private readonly hashes: Uint32Array,
    private readonly weights: Float32Array,
    private readonly shape: { readonly bias: number; readonly scale: number; readonly exponent: number },
  ) {}

  /** Reads FOLDER/config.json and FOLDER/model.safetensors. Throws M003, M004, M007, M008. */
  static async open(id: string, folder: string): Promise<Sentiment> {
    const path = join(folder, 'config.json')
    const text = await readRequired(path, 'the shape of the classifier')
    const config = parseObject(text, path)
    const number = (name: string) => requireNumber(config, name, path)
    const files = await Weights.open(folder)
    try {
      const [size = 0] = files.shapeOf('hashes')
      const [hashes, weights] = [await files.readList('hashes', 'U32', size), await files.readList('weights', 'F16', size)]
      const hash = await modelHash({ 'config.json': text }, files.files)
      return new Sentiment(
        id,
        hash.digest('hex'),
        new Uint32Array(hashes.buffer, hashes.byteOffset, size),
        widenHalves(new Uint16Array(weights.buffer, weights.byteOffset, size)),
        { bias: number('bias'), scale: number('scale'), exponent: number('exponent') },
      )
    } finally {
      await files.close()
    }
  }

  get parameters(): number {
    return this.weights.length
  }

  async classify(texts: readonly string[]): Promise<readonly Judgement[]> {
    return texts.map((text) => {
      const z = this.logit(text)
      return { logProbs: Float64Array.of(logSigmoid(-z), logSigmoid(z)), cut: false }
    })
  }

  async dispose(): Promise<void> {}

  private logit(text: string): number {
    let [sum, known] = [0, 0]
    for (const feature of featureHashes(text)) {
      const at = this.find(feature)
      if (at < 0) continue
      sum += this.weights[at]!
      known++
    }
    const { bias, scale, exponent } = this.shape
    return bias + scale * Math.max(known, 1) ** -exponent * sum
  }

  /** Index of a feature; -1 when it is not known. */
  private find(hash: number): number {
    let [low, high] = [0, this.hashes.length - 1]
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = this.hashes[middle]!
      if (found === hash) return middle
      if (found < hash) low = middle + 1
      else high = middle - 1
    }
    return -1
  }
}

const encoder = new TextEncoder()

/** Only A to Z become small: other letters would depend on the version of Unicode. */
function wordsOf(text: string): Uint8Array[] {
  const plain = text.replace(/[A-Z]/g, (c) => c.toLowerCase()).replace(/[‘’“”–—…\u00a0]/g, (c) => typography[c]!)
  return (plain.match(word) ?? []).map((found) => encoder.encode(found))
}

function featureHashes(text: string): Set<number> {
  const words = wordsOf(text)
  const hashes = new Set<number>()
  for (let from = 0; from < words.length; from++) {
    let hash = 0x811c9dc5
    const add = (byte: number) => {
      hash = Math.imul(hash ^ byte, 0x01000193)
    }
    for (let at = from; at < Math.min(from + longest, words.length); at++) {
      if (at > from) add(0x20)
      for (const byte of words[at]!) add(byte)
      hashes.add(hash >>> 0)
    }
  }
  return hashes
}

function requireNumber(config: JsonObject, name: string, path: string): number {
  const value = config[name]
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw modelError('M004', `${path}: expected a number as ${name}`, 'install smcc again')
}
