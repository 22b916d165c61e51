/**
 * What patterns cost beside a step of the 135 M model: 32 particles, each at a state of its own, on 49,152 tokens. Cold: the sets of allowed
 * tokens are computed; warm: they are asked for again, and a token is followed. Rows: 32 distinct sets as one array of 0 and -3e38 that a
 * head could add to its logits, each set spread once and kept. The last column is the share of a step.
 * Usage: npm run bench:masks [-- fp32 | int8 [PARTICLES]]
 */
import { philoxRandomness } from '../src/infer/philox.js'
import { freely, type History, type Vocabulary } from '../src/models/model.js'
import { has, type TokenSet, withoutEnd } from '../src/models/token-set.js'
import { ByteTrie } from '../src/patterns/byte-trie.js'
import { grammarPattern } from '../src/patterns/grammar.js'
import type { Pattern, PatternState } from '../src/patterns/pattern.js'
import { regexPattern } from '../src/patterns/regex.js'
import { jsonPattern } from '../src/patterns/schema.js'
import { generator } from '../test/xorshift.js'
import { architecture, randomModel } from './random-model.js'

const [type = 'fp32', count = '32'] = process.argv.slice(2)
const particles = Number(count)
const size = architecture.shape.vocabulary
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!

/** Tokens such as byte-level BPE learns them: every byte, words with and without a blank before them, signs, and parts of characters. */
function tokens(): Uint8Array[] {
  const random = generator(3)
  const encoder = new TextEncoder()
  const pick = (from: string) => [...from][Math.floor(random() * [...from].length)]!
  const text = (length: number, from: string) => Array.from({ length }, () => pick(from)).join('')
  const known = new Map<string, Uint8Array>()
  const add = (bytes: Uint8Array) => known.set(Buffer.from(bytes).toString('latin1'), bytes)
  known.set('end', new Uint8Array(0))
  for (let byte = 0; byte < 256; byte++) add(Uint8Array.of(byte))
  while (known.size < size) {
    const kind = random()
    const length = 2 + Math.floor(random() * 8)
    if (kind < 0.85)
      add(encoder.encode((random() < 0.5 ? ' ' : '') + text(length, 'eeeeaaaoootttnnniiissrrhhlldducmfgypwbvkxjqz')))
    else if (kind < 0.9) add(encoder.encode(text(1 + (length % 3), '0123456789')))
    else if (kind < 0.95) add(encoder.encode(text(1 + (length % 4), '{}[]":, .-_\n()=/')))
    else add(encoder.encode(text(2, 'éèüößñçаеионт的一是不了')).subarray(0, 1 + (length % 4)))
  }
  return [...known.values()]
}

const bytes = tokens()
const refuse = (): never => {
  throw new Error('the benchmark cuts no text')
}
const vocabulary: Vocabulary = {
  size,
  identity: 'benchmark',
  end: [0],
  encodePrompt: refuse,
  encodeContinuation: refuse,
  encodeChat: refuse,
  bytes: (token) => bytes[token]!,
}

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 60 },
    year: { type: 'integer', minimum: 1900, maximum: 2100 },
    tags: { type: 'array', items: { type: 'string' } },
    more: true,
  },
  required: ['name', 'year', 'tags', 'more'],
}
const patterns: readonly (readonly [string, () => Promise<Pattern> | Pattern])[] = [
  ['/( ?[a-z]+[,.]?)+/', () => regexPattern('( ?[a-z]+[,.]?)+', '', vocabulary)],
  ['/.{1,400}/', () => regexPattern('.{1,400}', '', vocabulary)],
  ['/(\\p{L}+ ?){3,40}/', () => regexPattern('(\\p{L}+ ?){3,40}', '', vocabulary)],
  ['json schema', () => jsonPattern(schema, vocabulary)],
  ['json', () => jsonPattern(true, vocabulary)],
  [
    'grammar',
    () =>
      grammarPattern(
        'root ::= sum\nsum ::= product (" "? [+-] " "? product)*\nproduct ::= [a-z]+ | [0-9]+ | "(" sum ")"',
        vocabulary,
      ),
  ],
]

/** States along ways of random tokens, `particles` distinct ones where there are so many. */
function statesOf(pattern: Pattern): PatternState[] {
  const random = generator(9)
  const found = new Set([pattern.start])
  let state = pattern.start
  for (let i = 0; i < 400 && found.size < particles; i++) {
    const allowed = Array.from({ length: size }, (_, token) => token).filter((token) => has(state.allowed, token))
    state = allowed.length === 0 ? pattern.start : state.next(allowed[Math.floor(random() * allowed.length)]!)
    found.add(state)
  }
  return [...found]
}

async function stepTime(): Promise<number> {
  const model = await randomModel(type === 'int8' ? 'int8' : 'fp32')
  const random = generator(5)
  const start = model.start(Array.from({ length: 16 }, () => 1 + Math.floor(random() * 40_000)))
  let histories: History[] = Array.from({ length: particles }, () => start)
  const times: number[] = []
  for (let round = 0; round < 13; round++) {
    const begin = performance.now()
    const replies = await model.draw(
      histories.map((history, slot) => ({
        ...freely(history, 1),
        allowed: withoutEnd(model.vocabulary),
        random: philoxRandomness(1),
        key: { slot, generation: round, draw: 0 },
      })),
      { rows: 256, live: () => histories },
    )
    histories = histories.map((history, slot) => model.extend(history, replies[slot]!.token))
    if (round >= 3) times.push(performance.now() - begin)
  }
  await model.dispose()
  return median(times)
}

const rows = new WeakMap<TokenSet, Float32Array>()
/** (size): 0 for allowed tokens, -3e38 for others. */
function rowOf(set: TokenSet): Float32Array {
  let row = rows.get(set)
  if (!row) {
    row = new Float32Array(size)
    for (let token = 0; token < size; token++) row[token] = (set.words[token >>> 5]! >>> (token & 31)) & 1 ? 0 : -3e38
    rows.set(set, row)
  }
  return row
}

function timed<T>(work: () => T): { readonly ms: number; readonly result: T } {
  const begin = performance.now()
  const result = work()
  return { ms: performance.now() - begin, result }
}

const step = await stepTime()
console.log(`a step of ${particles} particles, ${type}: ${step.toFixed(1)} ms`)
console.log(`tree of ${size} tokens, once a vocabulary: ${timed(() => ByteTrie.of(vocabulary)).ms.toFixed(0)} ms`)
console.log(`${'pattern'.padEnd(24)} build ms  states  sets  cold ms a mask  warm ms a step  rows first  rows again  share warm`)
for (const [name, build] of patterns) {
  const begin = performance.now()
  await build()
  const building = performance.now() - begin
  // Once for the ways of the compiler, then a fresh pattern whose masks are all cold.
  for (const state of statesOf(await build())) void state.allowed
  const walked = statesOf(await build())
  const tokensTo = walked.map((state) => firstOf(state.allowed))
  const fresh = await build()
  const cold = coldTimes(fresh)
  const slots = Array.from({ length: particles }, (_, i) => i % walked.length)
  const warm = timed(() => {
    for (let round = 0; round < 100; round++) {
      for (const slot of slots) {
        void walked[slot]!.allowed
        if (tokensTo[slot]! >= 0) walked[slot]!.next(tokensTo[slot]!)
      }
    }
  }).ms
  const matrix = new Float32Array(particles * size)
  const fill = () => {
    for (const [row, slot] of slots.entries()) matrix.set(rowOf(walked[slot]!.allowed), row * size)
  }
  const first = timed(fill).ms
  const again = median(Array.from({ length: 9 }, () => timed(fill).ms))
  console.log(
    [
      name.padEnd(24),
      building.toFixed(1).padStart(8),
      String(walked.length).padStart(7),
      String(new Set(walked.map(({ allowed }) => allowed)).size).padStart(5),
      median(cold).toFixed(2).padStart(15),
      (warm / 100).toFixed(3).padStart(15),
      first.toFixed(1).padStart(11),
      again.toFixed(2).padStart(11),
      `${((100 * (warm / 100 + again)) / step).toFixed(1)} %`.padStart(11),
    ].join(' '),
  )
}

function firstOf(set: TokenSet): number {
  return Array.from({ length: size }, (_, token) => token).find((token) => has(set, token)) ?? -1
}

/** The time of each mask when it is first asked for, along a way of random tokens. */
function coldTimes(pattern: Pattern): number[] {
  const random = generator(11)
  const times: number[] = []
  const seen = new Set<PatternState>()
  let state = pattern.start
  for (let i = 0; i < 200 && times.length < particles; i++) {
    const { ms, result } = timed(() => state.allowed)
    if (!seen.has(state)) times.push(ms)
    seen.add(state)
    const allowed = Array.from({ length: size }, (_, token) => token).filter((token) => has(result, token))
    state = allowed.length === 0 ? pattern.start : state.next(allowed[Math.floor(random() * allowed.length)]!)
  }
  return times
}
