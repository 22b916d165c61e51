import { type Diagnostic, diagnostic } from '../diagnostics/diagnostic.js'
import type { Source, Span } from '../diagnostics/span.js'
import type { Exp } from './ast.js'
import type { Token } from './scan.js'
export function valueAlone(value: Exp, span: Span): Diagnostic {
  return diagnostic('S024', span, 'x')
}
export function explainMistake(
  source: Source,
  _tokens: readonly Token[],
  offset: number,
  expected: ReadonlySet<string>,
): Diagnostic {
  return diagnostic('S001', { source, start: offset, end: offset + 1 }, [...expected].join(' | '))
}
