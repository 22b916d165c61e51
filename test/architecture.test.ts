import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const map = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')

/** The stages in their order; each may import itself and what stands to its left. */
const order = ['diagnostics', 'syntax', 'check', 'graph', 'tensor', 'models', 'patterns', 'infer', 'report', 'cli']

/** Files directly in src compose stages: what each may import from. The command line composes through index.ts. */
const composers: Record<string, readonly string[]> = {
  'load.ts': ['diagnostics', 'syntax', 'check'],
  'compile.ts': ['diagnostics', 'syntax', 'check', 'graph', 'load.ts'],
  'index.ts': ['diagnostics', 'syntax', 'check', 'graph', 'models', 'infer', 'load.ts', 'compile.ts'],
}

/** May touch files, the process or the console. */
const rim = ['src/cli/', 'src/models/', 'src/tensor/', 'src/load.ts', 'src/index.ts']
/** Others that read a file, and why. */
const readers: Record<string, string> = {
  'src/infer/host/patterns.ts': 'the path in `json(...)` and `grammar(...)` may be an expression, which only a run computes',
  'src/syntax/grammar.ts': 'the parser reads the grammar, which is a part of the package and not an input',
}

const longest = 350
/** Longer than that, and why. */
const longFiles: Record<string, string> = {
  'src/syntax/ast.ts': 'one interface for each form: the tree is read as a whole',
  'src/syntax/tree.ts': "the tree from ohm's matches: one action for each rule of the grammar",
}

interface File {
  readonly path: string
  readonly text: string
}

const files: File[] = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => {
    const path = join(entry.parentPath, entry.name)
    return { path: relative(root, path).replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }
  })

/** Everything that a file imports, exports from elsewhere, or imports when it is needed. */
function importsOf({ text }: File): string[] {
  return [...text.matchAll(/(?:^(?:import|export)\b[^'"]*?\bfrom |^import |\bimport\()['"]([^'"]+)['"]/gms)].map(
    (match) => match[1]!,
  )
}

/** Its stage, or its name where it stands directly in src. */
function stageOf(path: string): string {
  return path.split('/')[1]!
}

const inside = files.flatMap((file) =>
  importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => ({
      from: file.path,
      to: relative(root, resolve(root, dirname(file.path), name.replace(/\.js$/, '.ts'))).replaceAll('\\', '/'),
    })),
)

describe('ARCHITECTURE.md', () => {
  test('names only paths that exist', () => {
    const named = [...map.matchAll(/`([\w.-]+\/[\w./-]*)`/g)].map((match) => match[1]!)
    expect(named.length).toBeGreaterThan(50)
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  test('names every folder of src', () => {
    const folders = new Set(files.map((file) => `${dirname(file.path)}/`))
    folders.delete('src/')
    expect([...folders].filter((folder) => !map.includes(`\`${folder}\``))).toEqual([])
  })

  test('has at most 120 lines', () => {
    expect(map.trimEnd().split('\n').length).toBeLessThanOrEqual(120)
  })
})

describe('imports', () => {
  test('are found', () => {
    expect(inside.length).toBeGreaterThan(300)
    expect(inside.filter(({ to }) => !existsSync(join(root, to)) && !to.endsWith('.json'))).toEqual([])
  })

  test('run one way', () => {
    const wrong = inside.filter(({ from, to }) => {
      const [source, target] = [stageOf(from), stageOf(to)]
      const allowed = composers[source]
      if (allowed) return !allowed.includes(target) && source !== target
      if (target in composers) return !(source === 'cli' && target === 'index.ts')
      return order.indexOf(target) > order.indexOf(source) || !order.includes(target) || !order.includes(source)
    })
    expect(wrong).toEqual([])
  })

  test('only the rim touches files, the process and the console', () => {
    const touching = files.filter(
      (file) =>
        importsOf(file).some((name) => /^(node:)?(fs|process|child_process|http|https|net|os|readline)(\/|$)/.test(name)) ||
        /(?<![.\w'"`])(process|console)\.\w/.test(file.text.replace(/\/\*.*?\*\/|\/\/.*$/gms, '')),
    )
    const outside = touching.map((file) => file.path).filter((path) => !rim.some((allowed) => path.startsWith(allowed)))
    expect(outside.sort()).toEqual(Object.keys(readers))
  })
})

describe('sizes stay human', () => {
  const lengths = new Map(files.map((file) => [file.path, file.text.trimEnd().split('\n').length]))

  test('src/compile.ts has at most 80 lines', () => {
    expect(lengths.get('src/compile.ts')).toBeLessThanOrEqual(80)
  })

  test(`no file has more than ${longest} lines without a reason, and no reason is out of date`, () => {
    const long = [...lengths].filter(([, count]) => count > longest).map(([path]) => path)
    expect(long.sort()).toEqual(Object.keys(longFiles).sort())
  })
})
