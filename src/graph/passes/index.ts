import type { Graph } from '../ir.js'
import { fuseDraws } from './fuse.js'
import { placePoints } from './points.js'
import { lowerSpans } from './spans.js'

export interface Stage {
  /** As `smcc graph --stage` names it. */
  readonly name: string
  readonly graph: Graph
}

/** The passes in order; each is a function of the graph alone. */
export function runPasses(built: Graph, options: { readonly fuse: boolean }): Stage[] {
  const stages: Stage[] = [{ name: 'build', graph: built }]
  const pass = (name: string, run: (graph: Graph) => Graph) => {
    stages.push({ name, graph: run(stages[stages.length - 1]!.graph) })
  }
  pass('spans', lowerSpans)
  if (options.fuse) pass('fuse', fuseDraws)
  pass('points', placePoints)
  return stages
}
