import type { Diagnostic } from '../diagnostics/diagnostic.js'
import { renderHuman, renderJson, renderShort } from '../diagnostics/render.js'
import { colours, type Io } from './io.js'

export const formats = ['human', 'short', 'json'] as const
export type Format = (typeof formats)[number]

/** Diagnostics in one of the three forms, ready to be written; empty for none (`[]` as JSON). */
export function diagnosticsText(list: readonly Diagnostic[], format: Format, colour: boolean): string {
  switch (format) {
    case 'human':
      return renderHuman(list, { colour })
    case 'short':
      return renderShort(list)
    case 'json':
      return renderJson(list)
    default:
      return format satisfies never
  }
}

/** Tells a person on stderr. */
export function showDiagnostics(list: readonly Diagnostic[], io: Io): void {
  if (list.length > 0) io.stderr.write(diagnosticsText(list, 'human', colours(io.stderr, io.env)))
}

/** Several findings may be told twice, by the check and by the run: each is shown once. */
export function distinct(list: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Map<string, Diagnostic>()
  for (const item of list) {
    const key = `${item.code} ${item.span?.source.path ?? ''} ${item.span?.start ?? ''} ${item.message}`
    if (!seen.has(key)) seen.set(key, item)
  }
  return [...seen.values()]
}
