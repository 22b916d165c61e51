import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Module } from './check/types.js'
import { diagnostic, SmcError } from './diagnostics/diagnostic.js'
import type { Source, Span } from './diagnostics/span.js'
import type { UseDecl } from './syntax/ast.js'
import { decode, parse } from './syntax/parse.js'

/** The standard library lies beside the compiler. */
const stdlib = fileURLToPath(new URL('../stdlib/', import.meta.url))

/** Reads a program file. A path that cannot be read is an error of the command line, not of a program. */
export function readSource(path: string): Source {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new SmcError(diagnostic('R017', undefined, `cannot read \`${path}\`: ${reason(error)}`), 'command')
  }
  return decode(bytes, path)
}

/** Parses a program and, through `use`, all files that it needs; files may use each other. */
export function loadModules(main: Source): Module {
  const loaded = new Map<string, Module>()
  const load = (source: Source): Module => {
    const uses = new Map<string, Module>()
    const module: Module = { program: parse(source), uses }
    loaded.set(resolve(source.path), module)
    for (const item of module.program.items) {
      if (item.kind !== 'UseDecl') continue
      const from = item.from.parts.join('')
      const path = usedPath(from, source.path)
      uses.set(from, loaded.get(resolve(path)) ?? load(readUsed(path, from, item)))
    }
    return module
  }
  return load(main)
}

/** SHA-256 of the text of a program and of every file that it uses, hex. */
export function programHash(main: Module): string {
  const texts = new Set<string>()
  const visit = ({ program, uses }: Module) => {
    if (texts.has(program.source.text)) return
    texts.add(program.source.text)
    for (const used of uses.values()) visit(used)
  }
  visit(main)
  return createHash('sha256')
    .update([...texts].join('\0'))
    .digest('hex')
}

/** Where an extern function of a file lies, as a URL that `import` takes. */
export function externPath(from: string, module: Module): string {
  return pathToFileURL(resolve(dirname(module.program.source.path), from)).href
}

/** The bytes of a file of twists, and its name; null where there is none. Throws R032 where it cannot be read. */
export function readTwist(path: string): { readonly name: string; readonly bytes: Uint8Array } | null {
  if (!existsSync(path)) return null
  try {
    return { name: basename(path), bytes: readFileSync(path) }
  } catch (error) {
    const hint = 'mend or delete it: without the file the twist is 1 everywhere'
    throw new SmcError(diagnostic('R032', undefined, `cannot read ${basename(path)}: ${reason(error)}`, { hint }))
  }
}

function usedPath(from: string, user: string): string {
  if (from.startsWith('std/')) return resolve(stdlib, `${from.slice('std/'.length)}.smc`)
  return resolve(dirname(user), from)
}

function readUsed(path: string, from: string, use: UseDecl): Source {
  try {
    return decode(readFileSync(path), path)
  } catch (error) {
    if (error instanceof SmcError) throw error
    throw new SmcError(missing(from, use.from.span, error))
  }
}

function missing(from: string, span: Span, error: unknown) {
  const hint = from.startsWith('std/')
    ? 'the standard library has std/text, std/score and std/decode'
    : 'the path is relative to the file that uses it'
  return diagnostic('R017', span, `cannot read \`${from}\`: ${reason(error)}`, { hint })
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EISDIR') return 'it is a folder'
  if (code === 'EACCES') return 'permission is denied'
  return error instanceof Error ? error.message : String(error)
}
