/** The first thing that is wrong with a pattern, by offsets into it. */
export interface Fault {
  readonly kind: 'syntax' | 'unsupported'
  readonly start: number
  readonly end: number
  readonly message: string
  readonly hint: string
}

/**
 * Reads a JavaScript pattern (`u` flag) from the left and says what is wrong first, and where. JavaScript itself has the last word on
 * the syntax, but does not say where.
 */
export function firstFault(pattern: string, flags: string): Fault | undefined {
  return scan(pattern) ?? refusedByJavaScript(pattern, flags)
}

function scan(pattern: string): Fault | undefined {
  const open: number[] = []
  /** Whether something that a quantifier can repeat stands just before. */
  let repeatable = false
  let at = 0
  while (at < pattern.length) {
    const rest = pattern.slice(at)
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(rest)?.[0]
    if (quantifier) {
      if (!repeatable)
        return syntax(
          at,
          quantifier.length,
          `\`${quantifier}\` has nothing before it to repeat`,
          'to match the sign itself write `\\` before it',
        )
      repeatable = false
      at += quantifier.length
      continue
    }
    const escaped = /^\\(?:[pPx]\{[^}]*\}|u\{[^}]*\}|u[\dA-Fa-f]{4}|x[\dA-Fa-f]{2}|c[A-Za-z]|k<[^>]*>|[1-9]\d*|.)/su.exec(
      rest,
    )?.[0]
    if (escaped) {
      if (/^\\(?:[1-9]|k)/.test(escaped))
        return unsupported(at, escaped.length, 'a back-reference', 'write out what is to be repeated')
      if (/^\\[^^$\\.*+?()[\]{}|/\dbBcdDfnpPrsStuvwWx]/u.test(escaped)) {
        return syntax(at, escaped.length, `\`${escaped}\` means nothing`, 'leave out the `\\`')
      }
      repeatable = !/^\\[bB]$/.test(escaped)
      at += escaped.length
      continue
    }
    const sign = rest[0] ?? ''
    if (sign === '(') {
      const look = /^\(\?(?:<?[=!])/.exec(rest)?.[0]
      if (look) return unsupported(at, look.length, 'look-around', 'put the condition into a `where` or a `require`')
      const opening = /^\((?:\?:|\?<[^>]*>|(?!\?))/.exec(rest)?.[0]
      if (opening === undefined) return foreignGroup(at, rest)
      open.push(at)
      repeatable = false
      at += opening.length
      continue
    }
    if (sign === ')') {
      if (open.pop() === undefined)
        return syntax(at, 1, 'this `)` closes nothing', 'take it out, or write `\\)` for the sign itself')
    } else if (sign === '[') {
      const length = /^\[(?:[^\]\\]|\\.)*\]/s.exec(rest)?.[0].length
      if (length === undefined) return syntax(at, 1, 'this `[` is never closed', 'add `]`, or write `\\[` for the sign itself')
      repeatable = true
      at += length
      continue
    } else if (sign === ']' || sign === '{' || sign === '}') {
      return syntax(at, 1, `\`${sign}\` stands alone`, `write \`\\${sign}\` for the sign itself`)
    }
    repeatable = !'^$|'.includes(sign)
    at += sign.length
  }
  const unclosed = open.pop()
  return unclosed === undefined
    ? undefined
    : syntax(unclosed, 1, 'this `(` is never closed', 'add `)`, or write `\\(` for the sign itself')
}

/** A group of another dialect, `(?` and what tells which; and what to write instead. */
function foreignGroup(at: number, rest: string): Fault {
  const opening = /^\(\?P?[a-z-]*/.exec(rest)![0]
  const message = `\`${opening}\` begins no group of JavaScript's patterns`
  if (opening === '(?') return syntax(at, opening.length, message, 'write `(?:...)`')
  const hint = opening.startsWith('(?P') ? 'write `(?<name>...)`' : 'write flags behind the whole pattern, as in `/a/i`'
  return syntax(at, opening.length, message, hint)
}

function refusedByJavaScript(pattern: string, flags: string): Fault | undefined {
  try {
    new RegExp(pattern, flags.includes('u') ? flags : `${flags}u`)
    return undefined
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(error.message.lastIndexOf(': ') + 2) : 'it cannot be read'
    return syntax(
      0,
      pattern.length,
      `this regular expression cannot be read: ${reason.toLowerCase()}`,
      'patterns are those of JavaScript with the `u` flag',
    )
  }
}

function syntax(start: number, length: number, message: string, hint: string): Fault {
  return { kind: 'syntax', start, end: start + length, message, hint }
}

function unsupported(start: number, length: number, what: string, hint: string): Fault {
  return {
    kind: 'unsupported',
    start,
    end: start + length,
    message: `regular expressions here have no ${what.replace(/^a /, '')}`,
    hint,
  }
}
