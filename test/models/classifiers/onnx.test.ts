import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Classifier } from '../../../src/models/classifiers/classifier.js'
import { describe as configOf } from '../../../src/models/classifiers/config.js'
import { openClassifier } from '../../../src/models/registry.js'

/** make_fixture.py: exported by PyTorch; ids and probabilities by Hugging Face's library. */
const folder = fileURLToPath(new URL('.', import.meta.url))
const reference: Readonly<Record<string, readonly { text: string; ids: number[]; probabilities: number[] }[]>> = JSON.parse(
  readFileSync(join(folder, 'reference.json'), 'utf8'),
)

const opened: Classifier[] = []
async function open(name: string, base = folder): Promise<Classifier> {
  const classifier = await openClassifier(name, base)
  opened.push(classifier)
  return classifier
}
const root = mkdtempSync(join(tmpdir(), 'smcc-classifier-'))
afterAll(async () => {
  await Promise.all(opened.map((classifier) => classifier.dispose()))
  rmSync(root, { recursive: true })
})

describe.each(['bert', 'toxic'])('%s', (name) => {
  const texts = reference[name]!.map(({ text }) => text)
  let classifier: Classifier
  beforeAll(async () => {
    classifier = await open(name)
  })

  test.each([1, 3, 256])('agrees with the reference, %i texts in a call', async (rows) => {
    const found = await classifier.classify(texts, rows)
    reference[name]!.forEach(({ text, probabilities }, row) => {
      probabilities.forEach((p, i) => {
        expect(Math.abs(Math.exp(found[row]!.logProbs[i]!) - p), text).toBeLessThan(1e-5)
      })
    })
  })

  test('says which texts were longer than its window of 24 tokens', async () => {
    const cuts = (await classifier.classify(texts, 256)).map(({ cut }) => cut)
    expect(classifier.window).toBe(24)
    expect(cuts).toEqual(texts.map((_, i) => i === texts.length - 1))
  })

  test('judges a text by itself, whatever its neighbours are', async () => {
    const [alone] = await classifier.classify([texts[0]!], 256)
    const [among] = await classifier.classify(texts, 256)
    among!.logProbs.forEach((log, i) => {
      expect(log).toBeCloseTo(alone!.logProbs[i]!, 6)
    })
  })
})

test('labels and how they are meant come from config.json', async () => {
  const [bert, toxic] = await Promise.all([open('bert'), open('toxic')])
  expect([bert.labels, bert.exclusive]).toEqual([['bad', 'neutral', 'good'], true])
  expect([toxic.labels, toxic.exclusive]).toEqual([['toxic', 'insult'], false])
  expect(bert.hash).not.toBe(toxic.hash)
})

test('a quantised graph is taken where there is no other, one text in a call', async () => {
  const base = mkdtempSync(join(root, 'quantised-'))
  cpSync(join(folder, 'bert'), join(base, 'bert'), { recursive: true })
  renameSync(join(base, 'bert/onnx/model.onnx'), join(base, 'bert/onnx/model_quantized.onnx'))
  const classifier = await open('./bert', base)
  const found = await classifier.classify(
    reference.bert!.map(({ text }) => text),
    256,
  )
  reference.bert!.forEach(({ probabilities }, row) => {
    expect(Math.exp(found[row]!.logProbs[2]!)).toBeCloseTo(probabilities[2]!, 5)
  })
})

describe('config.json', () => {
  test.each([
    [{ architectures: ['LlamaForCausalLM'] }, 'it is a LlamaForCausalLM'],
    [{ problem_type: 'regression' }, 'it gives a number'],
    [{ id2label: { 0: 'a', 2: 'b' } }, 'does not name the labels'],
    [{ id2label: {} }, 'does not name the labels'],
    [{ id2label: { 0: 'a', 1: 'a' } }, 'are named "a"'],
  ])('%o is refused', (config, message) => {
    expect(() => configOf('it', config)).toThrow(new RegExp(`M021: it is not a text classifier: .*${message}`))
  })

  test('without labels it has those of the library; one label stands by itself; roberta counts behind its pad token', () => {
    expect(configOf('it', {})).toMatchObject({
      labels: ['LABEL_0', 'LABEL_1'],
      exclusive: true,
      positions: Number.POSITIVE_INFINITY,
    })
    expect(configOf('it', { id2label: { 0: 'spam' } })).toMatchObject({ exclusive: false })
    expect(configOf('it', { model_type: 'roberta', max_position_embeddings: 514, pad_token_id: 1 })).toMatchObject({
      positions: 512,
    })
  })
})

describe('a folder that cannot be used', () => {
  function broken(change: (path: string) => void): string {
    const base = mkdtempSync(join(root, 'broken-'))
    cpSync(join(folder, 'bert'), base, { recursive: true })
    change(base)
    return base
  }
  const edit = (path: string, change: object) =>
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }))

  test.each<[string, (path: string) => void, RegExp]>([
    ['no tokenizer', (path) => rmSync(join(path, 'tokenizer.json')), /M003: .*tokenizer.json does not exist/],
    ['no graph', (path) => rmSync(join(path, 'onnx/model.onnx')), /M003: .*onnx\/model.onnx does not exist/],
    ['half a graph', (path) => writeFileSync(join(path, 'onnx/model.onnx'), 'short'), /M007: onnx\/model.onnx is damaged/],
    ['a damaged tokenizer', (path) => edit(join(path, 'tokenizer.json'), { model: { type: 'What' } }), /M017/],
    ['a language model', (path) => edit(join(path, 'config.json'), { architectures: ['GPT2LMHeadModel'] }), /M021/],
  ])('%s', async (_, change, message) => {
    await expect(openClassifier(broken(change), folder)).rejects.toThrow(message)
  })

  test('labels that the graph does not have', async () => {
    const classifier = await open(broken((path) => edit(join(path, 'config.json'), { id2label: { 0: 'a', 1: 'b' } })))
    await expect(classifier.classify(['a'], 1)).rejects.toThrow(/M021: .*logits have shape \[1, 3\] for 1 texts and 2 labels/)
  })

  test('one that is not there', async () => {
    await expect(openClassifier('tiny-sentimant', root)).rejects.toMatchObject({
      diagnostics: [{ code: 'M020', hint: 'did you mean "tiny-sentiment"?' }],
    })
    await expect(openClassifier('./none', root)).rejects.toThrow('M020')
  })
})
