import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ts from 'typescript'
import { afterEach, beforeEach, expect, it } from 'vitest'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'smcc-keep-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** The process that keeps graphs, compiled: Node runs no TypeScript. */
function script(): string {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  for (const name of ['keep', 'keep-process']) {
    const source = readFileSync(new URL(`../../src/models/${name}.ts`, import.meta.url), 'utf8')
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
    writeFileSync(join(folder, `${name}.js`), ts.transpileModule(source, { compilerOptions }).outputText)
  }
  return join(folder, 'keep-process.js')
}

it('gives written graphs their names in a process of its own, and removes those that somebody else has kept before', () => {
  const root = join(folder, 'graphs')
  const written = ['trunk', 'head', 'gone'].map((name) => ({
    root,
    temporary: join(root, 'key', `${name}.1.new`),
    folder: join(root, 'key', name),
    mostBytes: 1000,
  }))
  for (const { temporary } of written.slice(0, 2)) {
    mkdirSync(temporary, { recursive: true })
    writeFileSync(join(temporary, 'weights.bin'), 'new')
  }
  mkdirSync(join(root, 'key', 'head'))
  writeFileSync(join(root, 'key', 'head', 'weights.bin'), 'kept before')
  execFileSync(process.execPath, [script(), JSON.stringify(written)])
  expect(readdirSync(join(root, 'key')).sort()).toEqual(['head', 'trunk'])
  expect(readFileSync(join(root, 'key', 'trunk', 'weights.bin'), 'utf8')).toBe('new')
  expect(readFileSync(join(root, 'key', 'head', 'weights.bin'), 'utf8')).toBe('kept before')
  expect(existsSync(join(root, 'key', 'gone'))).toBe(false)
})
