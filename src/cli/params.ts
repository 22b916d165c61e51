import type { Json } from '../infer/result.js'
import { commandError } from './errors.js'
import { didYouMean, oneOf } from './flags.js'

/** What the command line needs to know of a `param`: its type as printed, and whether it may be left out. */
export interface ParamShape {
  readonly name: string
  readonly type: string
  readonly default?: unknown
}

/**
 * Values for the params of a program. `-D` wins over the file.
 * @param definitions what `-D` gave, by name: verbatim for a `String`, JSON for all else
 * @param file the parsed `--params` file, or undefined
 */
export function paramValues(
  shapes: readonly ParamShape[],
  definitions: ReadonlyMap<string, string>,
  file: unknown,
): Record<string, Json> {
  const known = new Map(shapes.map((shape) => [shape.name, shape]))
  const shapeOf = (name: string, where: string) => known.get(name) ?? unknownParam(name, where, [...known.keys()])
  const values = new Map<string, Json>()
  if (file !== undefined) {
    if (typeof file !== 'object' || file === null || Array.isArray(file))
      throw commandError('X011', 'expected a JSON object in the `--params` file', 'write `{ "name": value }`')
    for (const [name, value] of Object.entries(file)) {
      values.set(name, requireFit(shapeOf(name, 'the `--params` file'), value as Json, 'in the `--params` file'))
    }
  }
  for (const [name, text] of definitions) {
    const shape = shapeOf(name, '`-D`')
    values.set(name, shape.type === 'String' ? text : requireFit(shape, parseJson(shape, text), 'after `-D`'))
  }
  const missing = shapes.filter((shape) => shape.default === undefined && !values.has(shape.name))
  if (missing.length > 0) {
    const [first] = missing
    const names = missing.map((shape) => `\`${shape.name}\``).join(', ')
    throw commandError(
      'X018',
      `the program needs a value for ${names}`,
      `add \`-D ${first!.name}=...\` (${article(first!.type)})`,
    )
  }
  return Object.fromEntries(values)
}

function unknownParam(name: string, where: string, known: readonly string[]): never {
  const hint = didYouMean(name, known) ?? (known.length > 0 ? `it has ${oneOf(known)}` : 'it has no params at all')
  throw commandError('X009', `the program has no param \`${name}\`, which ${where} sets`, hint)
}

function parseJson(shape: ParamShape, text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    const hint = shape.type.includes('String')
      ? `texts stand in double quotes, and the whole in single ones for the shell: -D '${shape.name}=["a", "b"]'`
      : `write it as JSON: -D '${shape.name}=${example(shape.type)}'`
    throw commandError('X010', `expected ${article(shape.type)} as JSON for \`${shape.name}\`, found \`${text}\``, hint)
  }
}

function requireFit(shape: ParamShape, value: Json, where: string): Json {
  if (fits(shape.type, value)) return value
  const found = JSON.stringify(value)
  const short = found.length > 60 ? `${found.slice(0, 59)}…` : found
  throw commandError(
    'X010',
    `expected ${article(shape.type)} for \`${shape.name}\` ${where}, found \`${short}\``,
    `write, for example, \`${example(shape.type)}\``,
  )
}

/** Whether JSON is of a type as printed. Types with parts that JSON cannot decide are left to the run. */
function fits(type: string, value: Json): boolean {
  if (type.startsWith('[') && type.endsWith(']'))
    return Array.isArray(value) && value.every((item) => fits(type.slice(1, -1), item))
  if (type.startsWith('{')) return typeof value === 'object' && value !== null && !Array.isArray(value)
  switch (type) {
    case 'Int':
      return Number.isSafeInteger(value)
    case 'Float':
      return Number.isFinite(value)
    case 'Weight':
      return Number.isFinite(value) && (value as number) >= 0
    case 'Bool':
      return typeof value === 'boolean'
    case 'String':
      return typeof value === 'string'
    default:
      return value !== null
  }
}

function example(type: string): string {
  if (type.startsWith('[') && type.endsWith(']')) return `[${example(type.slice(1, -1))}]`
  if (type.startsWith('{')) return '{"field": 1}'
  return { Int: '12', Float: '0.5', Weight: '0.5', Bool: 'true', String: '"text"' }[type] ?? '1'
}

function article(type: string): string {
  return /^[AEIO]/.test(type) ? `an ${type}` : `a ${type}`
}
