/**
 * A regular expression with every `\p{...}` written out as ranges, as this JavaScript knows them: refa's tables are of Unicode 15.0, and
 * `matching` must not differ from `matches`. The expression must be one that JavaScript reads.
 */
export function withoutProperties(source: string): string {
  let isInSet = false
  return source.replace(/\\[pP]\{[^}]*\}|\\.|[[\]]/gsu, (part) => {
    if (part === '[') isInSet = true
    else if (part === ']') isInSet = false
    if (!/^\\[pP]\{/.test(part)) return part
    return isInSet ? rangesOf(part) : `[${rangesOf(part)}]`
  })
}

const known = new Map<string, string>()
let everything: string | undefined

function rangesOf(property: string): string {
  let ranges = known.get(property)
  if (ranges === undefined) {
    everything ??= allCharacters()
    const runs = everything.matchAll(new RegExp(`${property}+`, 'gu'))
    const written = (code: number) => `\\u{${code.toString(16)}}`
    ranges = Array.from(runs, ([run]) => `${written(run.codePointAt(0)!)}-${written(lastOf(run))}`).join('')
    known.set(property, ranges)
  }
  return ranges
}

function lastOf(run: string): number {
  const low = run.charCodeAt(run.length - 1)
  return low >= 0xdc00 && low <= 0xdfff ? run.codePointAt(run.length - 2)! : low
}

/** All code points in order, without surrogates, which stand in no text. */
function allCharacters(): string {
  const parts: string[] = []
  for (let first = 0; first < 0x110000; first += 0x800) {
    if (first === 0xd800) continue
    parts.push(String.fromCodePoint(...Array.from({ length: 0x800 }, (_, i) => first + i)))
  }
  return parts.join('')
}
