/**
 * A text with choices about where its lines break, after Wadler, "A prettier printer" (2003), with the groups of Oppen (1980):
 * a group is laid out on one line if it fits, else all its own lines break. Comments go with it: what follows one starts a new line.
 */
export type Doc =
  | string
  | readonly Doc[]
  | { readonly kind: 'line'; readonly flat: '' | ' ' }
  | { readonly kind: 'fresh' | 'blank' | 'exact' }
  | { readonly kind: 'verbatim'; readonly text: string }
  | { readonly kind: 'comment'; readonly text: string; readonly trailing: boolean }
  | { readonly kind: 'ifBroken'; readonly text: string }
  | { readonly kind: 'indent'; readonly doc: Doc }
  | { readonly kind: 'group'; readonly doc: Doc; readonly broken: boolean }

/** A space, or a line break in a broken group. */
export const line: Doc = { kind: 'line', flat: ' ' }
/** Nothing, or a line break in a broken group. */
export const soft: Doc = { kind: 'line', flat: '' }
/** A line break, unless a line has just begun. */
export const fresh: Doc = { kind: 'fresh' }
/** One empty line. */
export const blank: Doc = { kind: 'blank' }
/** A line break inside a string: nothing is trimmed. */
export const exact: Doc = { kind: 'exact' }

export function verbatim(text: string): Doc {
  return { kind: 'verbatim', text }
}

export function comment(text: string, trailing: boolean): Doc {
  return { kind: 'comment', text, trailing }
}

export function ifBroken(text: string): Doc {
  return { kind: 'ifBroken', text }
}

export function indent(doc: Doc): Doc {
  return { kind: 'indent', doc }
}

export function group(doc: Doc, broken = false): Doc {
  return { kind: 'group', doc, broken: broken || mustBreak(doc) }
}

/** Elements with the separator between them. */
export function join(separator: Doc, docs: readonly Doc[]): Doc {
  return docs.map((doc, i) => (i === 0 ? doc : [separator, doc]))
}

function mustBreak(doc: Doc): boolean {
  if (typeof doc === 'string') return false
  if (isList(doc)) return doc.some(mustBreak)
  switch (doc.kind) {
    case 'fresh':
    case 'blank':
    case 'exact':
    case 'comment':
      return true
    case 'indent':
      return mustBreak(doc.doc)
    case 'group':
      return doc.broken
    case 'line':
    case 'verbatim':
    case 'ifBroken':
      return false
    default:
      return doc satisfies never
  }
}

function isList(doc: Doc): doc is readonly Doc[] {
  return Array.isArray(doc)
}

interface Work {
  readonly margin: number
  readonly broken: boolean
  readonly doc: Doc
}

/** The text, lines at most `width` wide where the groups allow it; without white space at line ends, with a line break at its end. */
export function layout(doc: Doc, width: number): string {
  const lines: string[] = []
  let current = ''
  let currentMargin = 0
  let pending = false // a comment stands on this line: nothing else may

  const newline = (margin: number, trim = true): void => {
    const text = trim ? current.trimEnd() : current
    lines.push(text === '' ? '' : ' '.repeat(currentMargin) + text)
    current = ''
    currentMargin = margin
    pending = false
  }
  const write = (text: string, margin: number): void => {
    if (pending) newline(margin)
    current += text
  }

  const work: Work[] = [{ margin: 0, broken: true, doc }]
  while (work.length > 0) {
    const { margin, broken, doc } = work.pop()!
    if (typeof doc === 'string') {
      if (doc.trim() !== '' || (current !== '' && !pending)) write(current === '' || pending ? doc.trimStart() : doc, margin)
      continue
    }
    if (isList(doc)) {
      for (let i = doc.length - 1; i >= 0; i--) work.push({ margin, broken, doc: doc[i]! })
      continue
    }
    switch (doc.kind) {
      case 'line':
        if (broken) {
          if (current !== '') newline(margin)
          else currentMargin = margin
        } else if (doc.flat !== '' && current !== '' && !pending) current += doc.flat
        break
      case 'fresh':
        if (current !== '') newline(margin)
        else currentMargin = margin
        break
      case 'blank':
        if (current !== '') newline(margin)
        if (lines.length > 0 && lines.at(-1) !== '') lines.push('')
        currentMargin = margin
        break
      case 'exact':
        newline(margin, false)
        break
      case 'verbatim':
        write(doc.text, margin)
        break
      case 'comment':
        if (pending || (!doc.trailing && current !== '')) newline(margin)
        else if (current === '') currentMargin = margin
        current = current === '' ? doc.text : `${current.trimEnd()} ${doc.text}`
        pending = true
        break
      case 'ifBroken':
        if (broken) write(doc.text, margin)
        break
      case 'indent':
        work.push({ margin: margin + 2, broken, doc: doc.doc })
        break
      case 'group': {
        const used = current === '' ? margin : currentMargin + current.length
        work.push({ margin, broken: doc.broken || !fits(doc.doc, width - used, work), doc: doc.doc })
        break
      }
      default:
        doc satisfies never
    }
  }
  if (current !== '') newline(0)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** Whether a document laid flat, and what follows it up to the next place where a line may break, has room. */
function fits(doc: Doc, room: number, rest: readonly Work[]): boolean {
  const stack: { readonly broken: boolean; readonly doc: Doc }[] = [{ broken: false, doc }]
  let next = rest.length
  let left = room
  while (left >= 0) {
    const work = stack.pop() ?? rest[--next]
    if (!work) return true
    const { broken, doc } = work
    if (typeof doc === 'string') left -= doc.length
    else if (isList(doc)) for (let i = doc.length - 1; i >= 0; i--) stack.push({ broken, doc: doc[i]! })
    else if (doc.kind === 'line') {
      if (broken) return true
      left -= doc.flat.length
    } else if (doc.kind === 'indent') stack.push({ broken, doc: doc.doc })
    else if (doc.kind === 'group') stack.push({ broken: broken || doc.broken, doc: doc.doc })
    else if (doc.kind === 'verbatim') left -= doc.text.length
    else if (doc.kind === 'ifBroken') left -= broken ? doc.text.length : 0
    else if (doc.kind !== 'comment') return true
  }
  return false
}
