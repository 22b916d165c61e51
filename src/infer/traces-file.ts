import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import type { Graph } from '../graph/ir.js'
import { stopped } from '../models/model.js'
import { equal } from './equality.js'
import type { Host } from './host/host.js'
import type { Opened } from './open.js'
import type { Json } from './result.js'
import type { Choice } from './trace.js'

/**
 * Exact samples as JSON lines. The first says where they come from: {"programHash": ..., "models": {"lm": HASH}, "params": {"gap": 2}}; then a
 * sample a line: {"choices": [{"token": 5}, {"stop": true}, {"value": 0.3}]}. Token ids and not texts, for a text has many paths of tokens.
 */

export interface Origin {
  readonly programHash: string
  /** Names of models and classifiers to their hashes. */
  readonly models: Readonly<Record<string, string>>
  /** All params, defaults too. */
  readonly params: Readonly<Record<string, Json>>
}

/** The samples of a file, which fit what they come from alone. */
export interface TraceFile {
  readonly name: string
  readonly origin: Origin
  readonly traces: readonly (readonly Choice[])[]
}

/** What a program that is open has for its models and params. */
export function originOf(identities: Opened['identities'], { params }: Graph, host: Host): Omit<Origin, 'programHash'> {
  return {
    models: Object.fromEntries(Object.entries(identities).map(([name, { hash }]) => [name, hash])),
    params: Object.fromEntries(params.map(({ decl }, i) => [decl.name.text, host.json(host.params[i], 0)])),
  }
}

export function tracesText(traces: readonly (readonly Choice[])[], origin: Origin): string {
  const told = (choice: Choice) => ('token' in choice && choice.token === stopped ? { stop: true } : choice)
  const lines = [origin, ...traces.map((choices) => ({ choices: choices.map(told) }))]
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

const hint = 'take a file that `smcc bound --traces FILE` has written for this program, with the same params and models'

/** @throws SmcError X021 where a line is no such thing, or the file comes from another program */
export function readTraces(text: string, programHash: string, name: string): TraceFile {
  const wrong = (what: string) => new SmcError(diagnostic('X021', undefined, `\`${name}\` ${what}`, { hint }), 'command')
  const [first, ...lines] = text.split('\n').filter((line) => line.trim() !== '')
  const origin = first === undefined ? null : parsed(first)
  if (!isObject(origin) || !isObject(origin.models) || !isObject(origin.params))
    throw wrong('does not say in its first line where its samples come from')
  if (origin.programHash !== programHash) throw wrong('comes from another program')
  const traces = lines.map((line, i) => {
    const found = parsed(line)
    const where = `line ${i + 2}`
    if (!isObject(found) || !Array.isArray(found.choices)) throw wrong(`has in ${where} what is not an exact sample`)
    return found.choices.map((choice: unknown) => {
      const read = isObject(choice) ? readChoice(choice) : null
      if (!read) throw wrong(`has in ${where} something that is not a choice`)
      return read
    })
  })
  return { name, origin: origin as unknown as Origin, traces }
}

/** @throws SmcError X021 where the samples were drawn with other models or params: they would be no samples of this target */
export function requireOrigin({ name, origin }: TraceFile, { models, params }: Omit<Origin, 'programHash'>): void {
  const wrong = (what: string) =>
    new SmcError(diagnostic('X021', undefined, `the samples of \`${name}\` were drawn ${what}`, { hint }), 'command')
  for (const [model, hash] of Object.entries(models))
    if (origin.models[model] !== hash) throw wrong(`with another model as \`${model}\``)
  for (const [param, value] of Object.entries(params)) {
    const before = origin.params[param]
    if (!equal(before, value)) throw wrong(`with \`${param}\` = ${shown(before)}, and it is ${shown(value)} now`)
  }
}

function shown(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

function readChoice(choice: Readonly<Record<string, unknown>>): Choice | null {
  if (choice.stop === true) return { token: stopped }
  if ('value' in choice) return { value: choice.value }
  return Number.isSafeInteger(choice.token) ? { token: choice.token as number } : null
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
