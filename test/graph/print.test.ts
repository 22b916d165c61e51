import { describe, expect, test } from 'vitest'
import { compileSource } from '../../src/compile.js'
import { graphFormats, printGraph } from '../../src/graph/print.js'
import { everyDraw } from './programs.js'

const graph = (fuse: boolean) => compileSource({ path: 'program.smc', text: everyDraw }).stages({ fuse }).at(-1)!.graph

describe('`smcc graph` shows what is fused, and why not', () => {
  const draws = (fuse: boolean) =>
    printGraph(graph(fuse), 'text')
      .split('\n')
      .filter((line) => line.includes('Draw'))
      .map((line) => line.replace(/^ *\d+ +/, '').replace(/ {2}.*/, ''))

  test('fused', () =>
    expect(draws(true)).toMatchInlineSnapshot(`
      [
        "Draw t ~ a · observed on b · observed on b ^ 0.5",
        "Draw u ~ a * b · meeting \`where\`",
        "Draw k ~ a · apart: factor k.length + 1 is looked at for every token of at most 512",
        "Draw v ~ a · drafted by other",
        "Draw w ~ a · apart: a.fork() may look at where the stream stands",
        "Draw $token ~ $stream · not the end token · meeting \`where\`",
        "Draw $token ~ $stream · drafted by $proposal · keeping to the pattern",
        "Draw $token ~ $stream · drafted by $proposal",
        "Draw g ~ bernoulli(0.5) · drafted by bernoulli(0.3) · meeting \`where\`, if the values can be listed",
        "Draw $token ~ $stream · keeping to the pattern",
      ]
    `))
  test('not fused', () =>
    expect(draws(false)).toMatchInlineSnapshot(`
      [
        "Draw t ~ a",
        "Draw u ~ a * b",
        "Draw k ~ a",
        "Draw v ~ a · drafted by other",
        "Draw w ~ a",
        "Draw $token ~ $stream",
        "Draw $token ~ $stream · drafted by $proposal · keeping to the pattern",
        "Draw $token ~ $stream · drafted by $proposal",
        "Draw g ~ bernoulli(0.5) · drafted by bernoulli(0.3)",
        "Draw $token ~ $stream · keeping to the pattern",
      ]
    `))

  test.each(graphFormats)('in %s', (format) => {
    const text = printGraph(graph(true), format)
    for (const part of ['observed on b', 'keeping to the pattern', 'drafted by other']) expect(text).toContain(part)
  })
})
