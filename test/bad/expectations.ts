import type { Diagnostic } from '../../src/diagnostics/diagnostic.js'
import { positionAt, type Source } from '../../src/diagnostics/span.js'

/**
 * Bad programs say inline what must be reported, on a line of its own below the place:
 *
 *     let x = 'a'
 *     // error S005: 9-12 a string stands between double quotes
 *
 * Severity, code, columns from-to of the line above (from 1, the end not included; `9` alone for nothing wide) and the beginning of the
 * message. Several such lines may follow one another. `// error S021:` without columns stands for a diagnostic without a place.
 */
export function expectations(source: Source): string[] {
  const lines = source.text.split(/\r\n|\n|\r/)
  const found: string[] = []
  let above = 0
  for (const [i, line] of lines.entries()) {
    const match = /^\s*\/\/ (error|warning|note) ([A-Z]\d{3}):(?: (\d+)(?:-(\d+))?)? ?(.*)$/.exec(line)
    if (!match) {
      above = i + 1
      continue
    }
    const [, severity, code, start, end, message] = match
    const place = start === undefined ? '' : `${above}:${start}-${end ?? start} `
    found.push(`${place}${severity} ${code}: ${message}`)
  }
  return found.sort()
}

/** What was reported, in the same form; a message is cut to the length of the expectation at its place. */
export function reported(diagnostics: readonly Diagnostic[], expected: readonly string[]): string[] {
  return diagnostics
    .map((each) => {
      const text = `${place(each)}${each.severity} ${each.code}: ${each.message}`
      return expected.find((expectation) => text.startsWith(expectation)) ?? text
    })
    .sort()
}

function place({ span }: Diagnostic): string {
  if (!span) return ''
  const start = positionAt(span.source, span.start)
  const end = positionAt(span.source, span.end)
  // A span over several lines is told by where it starts.
  return `${start.line}:${start.column}-${end.line === start.line ? end.column : start.column} `
}
