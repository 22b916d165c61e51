import { describe, expect, test } from 'vitest'
import { compileSource } from '../../src/compile.js'
import { cloneGraph, type DrawNode, type Graph } from '../../src/graph/ir.js'
import { verify } from '../../src/graph/verify.js'
import { programs } from '../syntax/programs.js'
import { everyDraw } from './programs.js'

const stages = (text: string, fuse = true) => compileSource({ path: 'program.smc', text }).stages({ fuse })

/** Those that use no file beside them. */
const alone = programs.filter(({ text }) => !text.includes('from "./lib'))

describe('every graph keeps the rules, after every pass', () => {
  test.each([true, false])('of a program that draws in every way (fuse %s)', (fuse) => {
    const all = stages(everyDraw, fuse)
    expect(all.map(({ name }) => name)).toEqual(
      fuse ? ['build', 'spans', 'guides', 'fuse', 'points'] : ['build', 'spans', 'guides', 'points'],
    )
    for (const { name, graph } of all) expect(verify(graph, { spansLowered: name !== 'build' }), name).toEqual([])
  })

  test.each(alone.map(({ path, text }) => [path, text] as const))('%s', (_path, text) => {
    for (const fuse of [true, false])
      for (const { name, graph } of stages(text, fuse))
        expect(verify(graph, { spansLowered: name !== 'build' }), name).toEqual([])
  })
})

describe('what is broken is told', () => {
  function broken(change: (draws: DrawNode[], graph: Graph) => void): string {
    const graph = cloneGraph(stages(everyDraw).at(-1)!.graph)
    change(
      graph.functions[0]!.nodes.filter((node): node is DrawNode => node.op === 'Draw'),
      graph,
    )
    return verify(graph, { spansLowered: true }).join('\n')
  }

  const of = (draws: readonly DrawNode[], text: string) => draws.find((d) => d.from.text === text)!

  test.each<[string, RegExp, (draws: DrawNode[], graph: Graph) => void]>([
    [
      'a requirement elsewhere',
      /is not a `where`/,
      (draws) => {
        of(draws, 'a * b').where = 0
      },
    ],
    [
      'a requirement that it lacks',
      /meets a `where` that it has not/,
      (draws) => {
        of(draws, 'a * b').where = null
      },
    ],
    [
      'a requirement that it does not come to',
      /does not lead to its `where`/,
      (draws) => {
        of(draws, 'bernoulli(0.5)').where = of(draws, 'a * b').where
      },
    ],
    [
      'a draft that nobody weighs',
      /is not settled/,
      (_, graph) => {
        const { nodes } = graph.functions[0]!
        for (const [i, node] of nodes.entries())
          if (node.op === 'Settle') nodes[i] = { op: 'Host', set: 0, value: node.from, span: node.span, next: node.next }
      },
    ],
    [
      'a pattern without a place',
      /writes slot -1/,
      (draws) => {
        for (const d of draws) if (d.pattern) Object.assign(d, { pattern: { ...d.pattern, stopped: -1 } })
      },
    ],
    [
      'something fused in a graph that is not',
      /in a graph that is not/,
      (_, graph) => {
        Object.assign(graph, { lookahead: false })
      },
    ],
  ])('%s', (_what, message, change) => {
    expect(broken(change)).toMatch(message)
  })
})
