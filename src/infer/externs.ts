import { diagnostic } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import type { Graph } from '../graph/ir.js'
import type { TypeExp } from '../syntax/ast.js'
import { runError } from './host/failure.js'
import type { Host } from './host/host.js'
import { record, type Value } from './values.js'

/** Longest time that one call of an extern function may take, in ms. */
const LONGEST_CALL = 60_000

type Batch = (...columns: readonly (readonly unknown[])[]) => unknown

export interface ExternCall {
  readonly args: readonly Value[]
  readonly site: number
}

/** Functions written in JavaScript: called once per batch, with one array a parameter; each answers with an array of that length. */
export class Externs {
  private constructor(
    private readonly functions: readonly {
      readonly name: string
      readonly span: Span
      readonly call: Batch
      readonly result: TypeExp
    }[],
    private readonly host: Host,
  ) {}

  static async load(graph: Graph, host: Host, allowed: boolean): Promise<Externs> {
    const functions = await Promise.all(
      graph.externs.map(async ({ decl, path }) => {
        const name = decl.name.text
        if (!allowed)
          throw runError(
            diagnostic('R014', decl.span, `\`${name}\` is JavaScript of its own, which runs with all your rights`, {
              hint: 'if you trust the file, add `--allow-extern`',
            }),
          )
        const call = await importFunction(path, name, decl.from.span)
        return { name, span: decl.span, call, result: decl.result }
      }),
    )
    return new Externs(functions, host)
  }

  async call(index: number, calls: readonly ExternCall[]): Promise<Value[]> {
    const f = this.functions[index]!
    const span = calls.length > 0 ? this.host.sites[calls[0]!.site] : f.span
    const columns = (calls[0]?.args ?? []).map((_, column) => calls.map((c) => this.host.json(c.args[column], c.site)))
    const fail = (message: string, hint?: string): never => {
      throw runError(
        diagnostic('R015', span, `\`${f.name}\` ${message}`, {
          hint: hint ?? 'it is called with one array a parameter and returns an array with one value for each row',
        }),
      )
    }
    let answers: unknown
    try {
      answers = await withinTime(f.call(...columns), () =>
        fail(`has not answered within ${LONGEST_CALL / 1000} s`, 'look for a promise that never ends'),
      )
    } catch (error) {
      if (error instanceof Error && error.name === 'SmcError') throw error
      return fail(`throws: ${error instanceof Error ? error.message : String(error)}`, 'mend the function, or catch it there')
    }
    if (!Array.isArray(answers) && !ArrayBuffer.isView(answers))
      return fail(`returns ${answers === null ? 'null' : typeof answers}, expected an array`)
    const list = Array.from(answers as ArrayLike<unknown>)
    if (list.length !== calls.length) return fail(`returns ${list.length} values for ${calls.length} rows`)
    return list.map((answer, row) => {
      const problem = mismatch(answer, f.result)
      return problem ? fail(`returns ${problem} in row ${row}, expected ${textOf(f.result)}`) : fromJavaScript(answer)
    })
  }
}

async function importFunction(path: string, name: string, span: Span): Promise<Batch> {
  let module: Record<string, unknown>
  try {
    module = await import(path)
  } catch (error) {
    // A file that it imports may be missing, too.
    const names = [path, decodeURIComponent(new URL(path).pathname)]
    const isMissing = names.some((each) => String(error).includes(`Cannot find module '${each}'`))
    const reason = isMissing ? 'there is no such file' : error instanceof Error ? error.message : String(error)
    const isTypeScript = /\.[cm]?tsx?$/.test(new URL(path).pathname)
    const hint = isMissing
      ? 'the path is relative to the program'
      : isTypeScript
        ? 'make JavaScript of it first, as with `npx tsc`, and name that file'
        : 'mend the file: `node FILE` says more'
    throw runError(diagnostic('R016', span, `the file of \`${name}\` cannot be loaded: ${reason}`, { hint }))
  }
  const found = module[name]
  if (typeof found === 'function') return found as Batch
  throw runError(
    diagnostic('R016', span, `this file exports no function \`${name}\``, {
      hint: `write \`export function ${name}(...)\` there`,
    }),
  )
}

async function withinTime(answer: unknown, late: () => never): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  try {
    return await Promise.race([
      answer,
      new Promise((_, reject) => {
        timer = setTimeout(() => {
          try {
            late()
          } catch (error) {
            reject(error)
          }
        }, LONGEST_CALL)
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
}

/** What is wrong with an answer, in words; null when it fits the declared type. */
function mismatch(answer: unknown, type: TypeExp): string | null {
  switch (type.kind) {
    case 'ListType': {
      if (!Array.isArray(answer) && !ArrayBuffer.isView(answer)) return describe(answer)
      const items = Array.from(answer as ArrayLike<unknown>)
      const problem = items.map((item) => mismatch(item, type.element)).find((found) => found !== null)
      return problem ? `a list with ${problem}` : null
    }
    case 'RecordType': {
      if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return describe(answer)
      const fields = answer as Readonly<Record<string, unknown>>
      const names = type.fields.map((field) => field.name.text)
      const extra = Object.keys(fields).find((name) => !names.includes(name))
      if (extra !== undefined) return `a record with \`${extra}\` besides`
      for (const { name, type: own } of type.fields) {
        if (!Object.hasOwn(fields, name.text)) return `a record without \`${name.text}\``
        const problem = mismatch(fields[name.text], own)
        if (problem) return `a record whose \`${name.text}\` is ${problem}`
      }
      return null
    }
    case 'NamedType':
      return fits(answer, type.name) ? null : describe(answer)
    default:
      return answer === undefined || answer === null || typeof answer === 'function' ? describe(answer) : null
  }
}

function fits(answer: unknown, type: string): boolean {
  switch (type) {
    case 'Float':
      return typeof answer === 'number' && !Number.isNaN(answer)
    case 'Weight':
      return typeof answer === 'number' && answer >= 0
    case 'Int':
      return Number.isSafeInteger(answer)
    case 'Bool':
      return typeof answer === 'boolean'
    case 'String':
      return typeof answer === 'string'
    default:
      return answer !== undefined && answer !== null && typeof answer !== 'function'
  }
}

function describe(answer: unknown): string {
  if (typeof answer === 'number' || answer === undefined || answer === null) return `${answer}`
  return Array.isArray(answer) ? 'a list' : typeof answer === 'object' ? 'a record' : `a ${typeof answer}`
}

/** A type as it was written. */
function textOf(type: TypeExp): string {
  return type.span.source.text.slice(type.span.start, type.span.end)
}

function fromJavaScript(value: unknown): Value {
  if (Array.isArray(value)) return value.map(fromJavaScript)
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>)
  if (typeof value === 'object' && value !== null) return record(Object.keys(value), Object.values(value).map(fromJavaScript))
  return value
}
