import { join } from 'node:path'
import { Session } from '../../tensor/session.js'
import { modelError, reason } from '../errors.js'
import { damaged, openFile } from '../files.js'
import { parseObject, readOptional, readRequired } from '../json.js'
import { modelHash } from '../model-hash.js'
import { type Classifier, type Judgement, logSigmoid, logSoftmax } from './classifier.js'
import { type ClassifierConfig, describe } from './config.js'
import { ClassifierTokens } from './tokens.js'

/** Texts are padded to a multiple of this, so that those of about the same length share a call; padding depends on the text alone. */
const lengthStep = 16

/** The graphs of a folder in the order of transformers.js: full precision first. */
export const graphNames = ['onnx/model.onnx', 'onnx/model_quantized.onnx'] as const

/**
 * A text classifier in the layout of transformers.js: config.json (labels), tokenizer.json, and one ONNX graph from tokens to a
 * `logits` [rows, labels]. Softmax over them, or a sigmoid each where config.json says `multi_label_classification` or there is one
 * label, as the pipelines of Hugging Face do.
 */
export class OnnxClassifier implements Classifier {
  readonly labels: readonly string[]
  readonly exclusive: boolean
  readonly window: number

  private constructor(
    readonly id: string,
    readonly hash: string,
    private readonly config: ClassifierConfig,
    private readonly tokens: ClassifierTokens,
    private readonly session: Session,
    /** A quantised graph scales all numbers of a call together: each text has a call of its own, so that none depends on others. */
    private readonly quantised: boolean,
  ) {
    this.labels = config.labels
    this.exclusive = config.exclusive
    this.window = tokens.window
  }

  /** `graph`: one of `graphNames`, which exists. Throws M003, M004, M007, M017, M021. */
  static async open(id: string, folder: string, graph: string): Promise<OnnxClassifier> {
    const required = (name: string, holds: string) => readRequired(join(folder, name), holds)
    const [config, tokenizer, tokenizerConfig] = await Promise.all([
      required('config.json', 'the labels'),
      required('tokenizer.json', 'the tokens'),
      readOptional(join(folder, 'tokenizer_config.json')),
    ])
    const object = (name: string, text: string | null) => (text === null ? {} : parseObject(text, join(folder, name)))
    const described = describe(id, object('config.json', config))
    const tokens = new ClassifierTokens(
      id,
      object('tokenizer.json', tokenizer),
      object('tokenizer_config.json', tokenizerConfig),
      described,
    )
    const file = await openFile(join(folder, graph))
    try {
      const texts = { 'config.json': config, 'tokenizer.json': tokenizer, 'tokenizer_config.json': tokenizerConfig ?? '' }
      const hash = (await modelHash(texts, [file])).digest('hex')
      const session = await Session.openFile(file.path).catch((thrown) => {
        throw damaged(file.path, `the runtime cannot open it: ${reason(thrown)}`)
      })
      const classifier = new OnnxClassifier(id, hash, described, tokens, session, graph !== graphNames[0])
      classifier.requirePorts()
      return classifier
    } finally {
      await file.handle.close()
    }
  }

  async classify(texts: readonly string[], rows: number): Promise<readonly Judgement[]> {
    const judgements = new Array<Judgement>(texts.length)
    const byLength = new Map<number, { readonly row: number; readonly ids: readonly number[]; readonly cut: boolean }[]>()
    texts.forEach((text, row) => {
      const { ids, cut } = this.tokens.encode(text)
      const padded = this.quantised ? ids.length : Math.min(this.window, Math.ceil(ids.length / lengthStep) * lengthStep)
      const group = byLength.get(padded)
      if (group) group.push({ row, ids, cut })
      else byLength.set(padded, [{ row, ids, cut }])
    })
    const most = this.quantised ? 1 : rows
    for (const [length, group] of byLength) {
      for (let from = 0; from < group.length; from += most) {
        const part = group.slice(from, from + most)
        const answers = await this.run(
          part.map(({ ids }) => ids),
          length,
        )
        answers.forEach((logProbs, i) => {
          const { row, cut } = part[i]!
          judgements[row] = { logProbs, cut }
        })
      }
    }
    return judgements
  }

  async dispose(): Promise<void> {
    await this.session.release()
  }

  private async run(texts: readonly (readonly number[])[], length: number): Promise<Float64Array[]> {
    const shape = [texts.length, length]
    const [ids, mask] = [new BigInt64Array(texts.length * length), new BigInt64Array(texts.length * length)]
    ids.fill(BigInt(this.tokens.pad))
    texts.forEach((text, row) => {
      text.forEach((id, at) => {
        ids[row * length + at] = BigInt(id)
        mask[row * length + at] = 1n
      })
    })
    const all = {
      input_ids: { data: ids, shape },
      attention_mask: { data: mask, shape },
      token_type_ids: { data: new BigInt64Array(texts.length * length), shape },
    }
    const feeds = Object.fromEntries(Object.entries(all).filter(([name]) => this.session.inputs.includes(name)))
    const { logits } = await this.session.run(feeds)
    const width = this.labels.length
    if (!(logits!.data instanceof Float32Array) || logits!.shape.join() !== `${texts.length},${width}`)
      throw this.notAClassifier(
        `its logits have shape [${logits!.shape.join(', ')}] for ${texts.length} texts and ${width} labels`,
      )
    const numbers = logits!.data
    return texts.map((_, row) => {
      const scores = numbers.subarray(row * width, (row + 1) * width)
      return this.config.exclusive ? logSoftmax(scores) : Float64Array.from(scores, logSigmoid)
    })
  }

  private requirePorts(): void {
    const { inputs, outputs } = this.session
    const foreign = inputs.find((name) => !['input_ids', 'attention_mask', 'token_type_ids'].includes(name))
    if (foreign !== undefined) throw this.notAClassifier(`its graph asks for \`${foreign}\``)
    if (!outputs.includes('logits')) throw this.notAClassifier(`its graph gives ${outputs.join(', ')} and no logits`)
  }

  private notAClassifier(fact: string) {
    return modelError('M021', `${this.id} is not a text classifier: ${fact}`, 'choose a model for text classification')
  }
}
