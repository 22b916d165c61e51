import { type Diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Code, Graph } from '../graph/ir.js'
import { createHost } from './host/host.js'
import { link } from './link.js'

/**
 * What is wrong with the patterns that are the same whatever is run: malformed ones, files that cannot be read, and those that no text fits. A run
 * tells the same before it begins; here neither a model nor a param is needed, so that what only the tokens of a model rule out is not seen.
 */
export function patternMistakes(graph: Graph): readonly Diagnostic[] {
  const host = createHost([...graph.sites], [])
  const found: Diagnostic[] = []
  for (const { value, of } of link(graph, host).patterns) {
    if (!isConstant(of.pattern)) continue
    try {
      host.prepare(value([]), [], host.siteOf(of.pattern.span))
    } catch (error) {
      if (!(error instanceof SmcError)) throw error
      found.push(...error.diagnostics)
    }
  }
  return found
}

const isConstant = ({ js }: Code): boolean => !js.includes('rt.params[') && !js.includes('rt.extern(')
