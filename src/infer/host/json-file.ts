import { diagnostic, SmcError } from '../../diagnostics/diagnostic.js'

/** The value of a JSON file; `name` is what the program calls it. Throws R023 with the place where a reader has to stop. */
export function parseJsonFile(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    const { message } = thrown as Error
    const what = message.replace(/, (?:\.\.\.)?".*is not valid JSON$| in JSON at position.*| at position.*/s, '')
    const start = firstFault(text)
    const span = { source: { path: name, text }, start, end: Math.min(start + 1, text.length) }
    const said = `\`${name}\` is not JSON: ${what.charAt(0).toLowerCase()}${what.slice(1)}`
    throw new SmcError(diagnostic('R023', span, said, { hint: 'mend the file: a reader of JSON has to stop there' }))
  }
}

/** V8 does not always tell the place: it is behind the longest beginning that some end could make whole. */
function firstFault(text: string): number {
  let [whole, broken] = [0, text.length + 1]
  while (broken - whole > 1) {
    const middle = (whole + broken) >> 1
    if (isBeginning(text.slice(0, middle))) whole = middle
    else broken = middle
  }
  return whole
}

/** Whether nothing is wrong with a text but that it may end too early. */
function isBeginning(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (thrown) {
    const { message } = thrown as Error
    return /end of JSON input/.test(message) || Number(/at position (\d+)/.exec(message)?.[1]) >= text.length
  }
}
