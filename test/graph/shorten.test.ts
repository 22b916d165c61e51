import { expect, test } from 'vitest'
import { compileSource } from '../../src/compile.js'
import { verify } from '../../src/graph/verify.js'

test('spans end after so many tokens at most, also those that only a pattern ends', () => {
  const text =
    'model lm = "tiny"\nlet s = lm("x")\nsample a ~ s for 9 tokens\nsample b ~ s matching /[a-z]+/ for up to 8 tokens\nreturn a'
  const stages = compileSource({ path: 'program.smc', text }).stages({ fuse: true, longest: 2 })
  for (const { name, graph } of stages.slice(0, 2)) expect(verify(graph), name).toEqual([])
  const spans = stages[1]!.graph.functions[0]!.nodes.flatMap((node) => (node.op === 'Span' ? [node.limit!.count.js] : []))
  expect(spans).toEqual(['Math.min(2,9)', 'Math.min(2,8)'])
  expect(stages.map(({ name }) => name)).toEqual(['build', 'shorten', 'spans', 'guides', 'fuse', 'points'])
})
