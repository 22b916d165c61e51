import { catalogue } from '../diagnostics/catalogue/index.js'
import { commandError, exitCodes } from './errors.js'
import { didYouMean } from './flags.js'
import { colours, type Io } from './io.js'

/** `smcc explain`: one diagnostic with a bad and a mended example, or the list of all codes. */
export async function explain(given: string | undefined, io: Io): Promise<number> {
  const { default: pico } = await import('picocolors')
  const { bold, dim } = pico.createColors(colours(io.stdout, io.env))
  const codes = Object.keys(catalogue).sort()
  if (given === undefined) {
    for (const code of codes) io.stdout.write(`${bold(code)}  ${catalogue[code]!.title}\n`)
    return exitCodes.done
  }
  const code = given.toUpperCase()
  const entry = Object.hasOwn(catalogue, code) ? catalogue[code] : undefined
  if (entry === undefined) {
    throw commandError('X016', `there is no diagnostic \`${given}\``, didYouMean(code, codes) ?? '`smcc explain` lists all codes')
  }
  const files = Object.entries(entry.files ?? {}).map(([name, text]) => `${dim(`with ${name}:`)}\n\n${indented(text)}\n`)
  const parts = [
    `${bold(code)}  ${entry.title}\n`,
    `${wrapped(entry.explanation, 80)}\n`,
    `${dim('instead of:')}\n\n${indented(entry.bad)}\n`,
    `${dim('write:')}\n\n${indented(entry.mended)}\n`,
    ...files,
  ]
  io.stdout.write(parts.join('\n'))
  return exitCodes.done
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`))
    .join('\n')
}

function wrapped(text: string, width: number): string {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.join('\n')
}
