import { catalogue } from './catalogue/index.js'

/** What the catalogue says about a code, as text with a bad and a mended example; undefined for a code that it lacks. */
export function explain(code: string): string | undefined {
  const entry = catalogue[code]
  if (!entry) return undefined
  const files = Object.entries(entry.files ?? {}).map(([path, text]) => `with ${path}:\n\n${indented(text)}\n`)
  return [
    `${code}: ${entry.title}\n`,
    `${entry.explanation}\n`,
    `for example\n\n${indented(entry.bad)}\n`,
    `mended\n\n${indented(entry.mended)}\n`,
    ...files,
  ].join('\n')
}

function indented(text: string): string {
  return text.replace(/\n$/, '').replace(/^(?=.)/gm, '    ')
}
