import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import type { Program } from './ast.js'

/**
 * How deep a tree may be, counted in nodes from the program down: every later pass walks it by recursion. A sum of 300 terms is
 * 300 deep.
 */
export const maximumDepth = 400

/** Throws an SmcError (S019) where the tree is deeper than `maximumDepth`. Keeps its own stack. */
export function checkDepth(program: Program): void {
  const left: { readonly value: object; readonly depth: number }[] = [{ value: program.items, depth: 0 }]
  while (left.length > 0) {
    const { value, depth } = left.pop()!
    const span = 'span' in value ? (value.span as Span) : undefined
    if (depth > maximumDepth) {
      throw new SmcError(
        diagnostic('S019', span, `an expression or block is nested more than ${maximumDepth} deep`, {
          hint: 'give parts of it names with let; a long sum is [..].sum(), a long chain of else if a loop over a list',
        }),
      )
    }
    const inside = span === undefined ? depth : depth + 1
    for (const [key, child] of Object.entries(value)) {
      if (key !== 'span' && typeof child === 'object' && child !== null) left.push({ value: child, depth: inside })
    }
  }
}
