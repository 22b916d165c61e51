import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { blockFormats, dequantise, otherTypes } from '../../../src/models/gguf/dequantise.js'

/** Random blocks of every format, with what the Python package gguf reads from them. */
const fixture = JSON.parse(
  readFileSync(new URL('../../conformance/fixtures/gguf/blocks.json', import.meta.url), 'utf8'),
) as Record<string, { type: number; blocks: string; numbers: string }>

describe('blocks of quantised numbers', () => {
  it.each(Object.entries(fixture))('%s gives the very numbers that gguf gives', (name, { type, blocks, numbers }) => {
    const format = blockFormats[type]!
    expect(format.name).toBe(name)
    const data = Buffer.from(blocks, 'base64')
    const bytes = Uint8Array.from(Buffer.from(numbers, 'base64'))
    const expected = new Float32Array(bytes.buffer)
    expect(data.length / format.bytes).toBe(expected.length / format.size)
    expect(dequantise(format, data, expected.length)).toEqual(expected)
  })

  it('are known or named', () => {
    expect(Object.values(blockFormats).map(({ name }) => name)).toEqual(Object.keys(fixture).sort(byType))
    for (const type of Object.keys(otherTypes)) expect(blockFormats[Number(type)]).toBeUndefined()
  })
})

function byType(a: string, b: string): number {
  return fixture[a]!.type - fixture[b]!.type
}
