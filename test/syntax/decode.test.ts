import { describe, expect, test } from 'vitest'
import { decode } from '../../src/syntax/decode.js'
import { thrown } from '../bad/run.js'

describe('decode', () => {
  test('drops a byte order mark', () => {
    expect(decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), 'p').text).toBe('a')
  })
  test('keeps every character', () => {
    const text = 'a é 漢 😀 \u{10ffff}'
    expect(decode(new TextEncoder().encode(text), 'p').text).toBe(text)
  })
  test.each([
    [[0x61, 0x0a, 0x80], 'S021', 'the file is not UTF-8: found 0x80 at byte 2 (line 2)'],
    [[0xc3], 'S021', 'the file is not UTF-8: found 0xC3 at byte 0 (line 1)'],
    [[0xc0, 0xaf], 'S021', 'the file is not UTF-8: found 0xC0 at byte 0 (line 1)'],
    [[0xed, 0xa0, 0x80], 'S021', 'the file is not UTF-8: found 0xED at byte 0 (line 1)'],
    [[0xf4, 0x90, 0x80, 0x80], 'S021', 'the file is not UTF-8: found 0xF4 at byte 0 (line 1)'],
    [[0x61, 0x0d, 0x0a, 0x62, 0x00], 'S022', 'the file has a NUL at byte 4 (line 2)'],
  ])('refuses %j', (bytes, code, message) => {
    const [found] = thrown(() => decode(Uint8Array.from(bytes), 'p'))
    expect(found).toMatchObject({ code, message })
  })
  test('agrees with the strict decoder of the platform', () => {
    const strict = new TextDecoder('utf-8', { fatal: true })
    for (let lead = 0x80; lead < 0x100; lead++) {
      for (let second = 0x70; second < 0x100; second += 5) {
        for (const rest of [[], [0x80], [0x80, 0x80], [0xbf, 0xbf, 0xbf]]) {
          const bytes = Uint8Array.from([lead, second, ...rest])
          let expected = true
          try {
            strict.decode(bytes)
          } catch {
            expected = false
          }
          expect(thrown(() => decode(bytes, 'p')).length === 0, bytes.join(' ')).toBe(expected)
        }
      }
    }
  })
})
