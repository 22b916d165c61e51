import { check } from '../../src/check/check.js'
import { show } from '../../src/check/show.js'
import type { CheckedProgram, Module } from '../../src/check/types.js'
import { parse } from '../../src/syntax/parse.js'

/** Files beside a program, by the text that a `use` names them with. */
export type Files = Readonly<Record<string, string>>

/** A program with the files that it uses. What `files` lacks is missing for the program too. */
export function moduleOf(text: string, files: Files = {}, path = 'test.smc'): Module {
  const loaded = new Map<string, Module>()
  const load = (source: string, name: string): Module => {
    const program = parse({ path: name, text: source })
    const uses = new Map<string, Module>()
    const module: Module = { program, uses }
    loaded.set(name, module)
    for (const item of program.items) {
      if (item.kind !== 'UseDecl') continue
      const from = item.from.parts.join('')
      const file = files[from] ?? files[from.replace('./', '')]
      if (file !== undefined) uses.set(from, loaded.get(from) ?? load(file, from))
    }
    return module
  }
  return load(text, path)
}

export function checkText(text: string, files: Files = {}): CheckedProgram {
  return check(moduleOf(text, files))
}

/** Codes of all findings, in order. */
export function codes(text: string, files: Files = {}): string[] {
  return checkText(text, files).diagnostics.map((each) => each.code)
}

/** The type of the script's `return`, in the language's notation; the program must be right. */
export function resultType(text: string, files: Files = {}): string {
  const { diagnostics, result } = checkText(text, files)
  const errors = diagnostics.filter((each) => each.severity === 'error')
  if (errors.length > 0) throw new Error(errors.map((each) => `${each.code} ${each.message}`).join('\n'))
  return show(result)
}

/** Each finding with the text that it points at: `C001 totl`. */
export function places(text: string, files: Files = {}): string[] {
  return checkText(text, files).diagnostics.map(
    ({ code, span }) => `${code} ${span ? span.source.text.slice(span.start, span.end) : ''}`,
  )
}

/** The hint of the only finding. */
export function hint(text: string, files: Files = {}): string | undefined {
  const { diagnostics } = checkText(text, files)
  if (diagnostics.length !== 1)
    throw new Error(`found ${diagnostics.length} diagnostics: ${diagnostics.map((each) => each.message).join('; ')}`)
  return diagnostics[0]?.hint
}
