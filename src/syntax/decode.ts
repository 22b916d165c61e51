import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Source } from '../diagnostics/span.js'

/**
 * The bytes of a program file as text; a UTF-8 byte order mark is dropped. Throws an SmcError with the byte offset and the line
 * of the first byte that is not UTF-8 (S021) or NUL (S022).
 */
export function decode(bytes: Uint8Array, path: string): Source {
  const wrong = firstWrongByte(bytes)
  if (wrong === undefined) return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  const before = new TextDecoder().decode(bytes.subarray(0, wrong))
  const source: Source = { path, text: new TextDecoder().decode(bytes) }
  const span = { source, start: before.length, end: before.length + 1 }
  const where = `byte ${wrong} (line ${before.split(/\r\n|\n|\r/).length})`
  if (bytes[wrong] === 0)
    throw new SmcError(diagnostic('S022', span, `the file has a NUL at ${where}`, { hint: 'is this a text file?' }))
  const shown = `0x${bytes[wrong]!.toString(16).toUpperCase().padStart(2, '0')}`
  throw new SmcError(
    diagnostic('S021', span, `the file is not UTF-8: found ${shown} at ${where}`, { hint: 'save the file as UTF-8' }),
  )
}

/** Well-formed byte sequences of the Unicode standard, table 3-7: the second byte's range depends on the first. */
function firstWrongByte(bytes: Uint8Array): number | undefined {
  let at = 0
  while (at < bytes.length) {
    const lead = bytes[at]!
    if (lead === 0) return at
    const trailing = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1
    if (trailing < 0) return at
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    for (let i = 1; i <= trailing; i++) {
      const byte = bytes[at + i] ?? 0
      if (byte < (i === 1 ? low : 0x80) || byte > (i === 1 ? high : 0xbf)) return at
    }
    at += trailing + 1
  }
  return undefined
}
