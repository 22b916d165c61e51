/**
 * What patterns cost beside a step of the 135 M model: 32 particles, each at a state of its own, on 49,152 tokens. Cold: the sets of allowed
 * tokens are computed; warm: they are asked for again, and a token is followed. A step is a draw of every particle with the model run for its last
 * token, free and with the masks in turn, and the last column what the masks add to it, patterns included: the medians of `rounds` pairs.
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

const rounds = 15

/** Milliseconds of steps, freely and with each particle's set of allowed tokens, in turn. */
async function stepTimes(sets: readonly TokenSet[]): Promise<{ readonly free: number; readonly masked: number }> {
  const random = generator(5)
  const start = model.start(Array.from({ length: 16 }, () => 1 + Math.floor(random() * 40_000)))
  let histories: History[] = Array.from({ length: particles }, () => start)
  const times: { free: number[]; masked: number[] } = { free: [], masked: [] }
  for (let round = 0; round < rounds + 2; round++) {
    for (const kind of ['free', 'masked'] as const) {
      const begin = performance.now()
      const requests = histories.map((history, slot) => ({
        ...freely(history, 1),
        allowed: kind === 'free' ? withoutEnd(model.vocabulary) : sets[slot % sets.length]!,
        random: philoxRandomness(1),
        key: { slot, generation: round, draw: 0 },
      }))
      const replies = await model.draw(requests, { rows: 256, live: () => histories })
      if (round >= 2) times[kind].push(performance.now() - begin)
      histories = histories.map((history, slot) => model.extend(history, replies[slot]!.token))
    }
  }
  model.forget()
  return { free: median(times.free), masked: median(times.masked) }
}

function timed<T>(work: () => T): { readonly ms: number; readonly result: T } {
  const begin = performance.now()
  const result = work()
  return { ms: performance.now() - begin, result }
}

const model = await randomModel(type === 'int8' ? 'int8' : 'fp32')
console.log(`${particles} particles, ${type}`)
console.log(`tree of ${size} tokens, once a vocabulary: ${timed(() => ByteTrie.of(vocabulary)).ms.toFixed(0)} ms`)
console.log(
  `${'pattern'.padEnd(24)} build ms  states  sets  allowed tokens  cold ms a mask  warm ms a step  free step ms  masks add`,
)
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
  const sets = slots.map((slot) => walked[slot]!.allowed).filter(({ count }) => count > 0)
  const { free, masked } = await stepTimes(sets)
  console.log(
    [
      name.padEnd(24),
      building.toFixed(1).padStart(8),
      String(walked.length).padStart(7),
      String(new Set(walked.map(({ allowed }) => allowed)).size).padStart(5),
      String(median(sets.map(({ count }) => count))).padStart(14),
      median(cold).toFixed(2).padStart(15),
      (warm / 100).toFixed(3).padStart(15),
      free.toFixed(1).padStart(13),
      `${((100 * (warm / 100 + masked - free)) / free).toFixed(1)} %`.padStart(10),
    ].join(' '),
  )
}
await model.dispose()

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
