import type { Graph } from '../ir.js'
import { fuseDraws } from './fuse.js'
import { markGuides } from './guides.js'
import { placePoints } from './points.js'
import { shortenSpans } from './shorten.js'
import { lowerSpans } from './spans.js'

export interface Stage {
  /** As `smcc graph --stage` names it. */
  readonly name: string
  readonly graph: Graph
}

export interface PassOptions {
  readonly fuse: boolean
  /** Most tokens of a span: for the self-test, which runs a program that is shorter than the one that was written. */
  readonly longest?: number
}

/** The passes in order; each is a function of the graph alone. */
export function runPasses(built: Graph, options: PassOptions): Stage[] {
  const stages: Stage[] = [{ name: 'build', graph: built }]
  const pass = (name: string, run: (graph: Graph) => Graph) => {
    stages.push({ name, graph: run(stages[stages.length - 1]!.graph) })
  }
  if (options.longest !== undefined) pass('shorten', (graph) => shortenSpans(graph, options.longest!))
  pass('spans', lowerSpans)
  pass('guides', markGuides)
  if (options.fuse) pass('fuse', fuseDraws)
  pass('points', placePoints)
  return stages
}
