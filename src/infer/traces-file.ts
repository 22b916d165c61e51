import { diagnostic, SmcError } from '../diagnostics/diagnostic.js'
import { stopped } from '../models/model.js'
import type { Choice } from './trace.js'

/**
 * Exact samples as JSON lines, one a line: {"programHash": ..., "choices": [{"token": 5}, {"stop": true}, {"value": 0.3}]}. Token ids and not
 * texts, for a text has many paths of tokens.
 */
export function tracesText(traces: readonly (readonly Choice[])[], programHash: string): string {
  const told = (choice: Choice) => ('token' in choice && choice.token === stopped ? { stop: true } : choice)
  return traces.map((choices) => `${JSON.stringify({ programHash, choices: choices.map(told) })}\n`).join('')
}

/** @throws SmcError X021 where a line is no such thing, or comes from another program */
export function readTraces(text: string, programHash: string, name: string): Choice[][] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line, i) => {
    const wrong = (what: string) =>
      new SmcError(
        diagnostic('X021', undefined, `line ${i + 1} of \`${name}\` ${what}`, {
          hint: 'take a file that `smcc bound --traces FILE` has written for this program',
        }),
        'command',
      )
    const found = parsed(line)
    if (!isObject(found) || !Array.isArray(found.choices)) throw wrong('is not an exact sample')
    if (found.programHash !== programHash) throw wrong('comes from another program')
    return found.choices.map((choice: unknown) => {
      const read = isObject(choice) ? readChoice(choice) : null
      if (!read) throw wrong('holds something that is not a choice')
      return read
    })
  })
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
