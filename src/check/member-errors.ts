import { suggest } from '../diagnostics/suggest.js'
import type { Name } from '../syntax/ast.js'
import type { Checker } from './checker.js'
import type { Members } from './members.js'
import { describe } from './show.js'
import type { Type } from './types.js'

/** Names that people bring from other languages, and what to write here. */
const elsewhere: Readonly<Record<string, string>> = {
  toLowerCase: 'write `.lower()`',
  toUpperCase: 'write `.upper()`',
  size: 'write `.length`',
  len: 'write `.length`',
  includes: 'write `.contains(s)`, or `x in xs` for a list',
  push: 'make a longer list: `xs = xs + [x]`',
  append: 'make a longer list: `xs = xs + [x]`',
  some: 'write `.any(x => ...)`',
  every: 'write `.all(x => ...)`',
  strip: 'write `.trim()`',
}

/** Reports a field or method that values of the type lack. */
export function unknownMember(checker: Checker, target: Type, members: Members, name: Name, called: boolean): void {
  const candidates = [...members.fields.keys(), ...members.methods.keys()]
  const close = suggest(name.text, candidates)
  const shown = close && (members.methods.has(close) ? `.${close}(...)` : `.${close}`)
  const hint = shown
    ? `did you mean \`${shown}\`?`
    : target.kind === 'List' && name.text === 'contains'
      ? 'write `x in xs`'
      : Object.hasOwn(elsewhere, name.text) && (target.kind === 'List' || target.kind === 'String')
        ? elsewhere[name.text]
        : candidates.length > 0
          ? `it has ${candidates.map((each) => `\`${each}\``).join(', ')}`
          : 'its value stands for itself: it has no fields or methods'
  const what = called ? 'method' : 'field'
  checker.report('C025', name.span, `${describe(target)} has no ${what} \`${name.text}\``, {
    ...(hint !== undefined && { hint }),
  })
}
