import type { Type } from './types.js'

/** A type in the language's own notation: `[Int]`, `{text: String, long: Bool}`, `Dist<Float>`, `(Int) => Bool`; `_` is not settled. */
export function show(type: Type): string {
  switch (type.kind) {
    case 'List':
      return `[${show(type.element)}]`
    case 'Record':
      return `{${[...type.fields].map(([name, field]) => `${key(name)}: ${show(field)}`).join(', ')}}`
    case 'Dist':
      return `Dist<${show(type.of)}>`
    case 'Function':
      return `(${type.params.map(show).join(', ')}) => ${show(type.result)}`
    case 'Unknown':
      return '_'
    default:
      return type.kind
  }
}

/** With its article, as messages use it: "an Int", "a list [Float]", "a record {a: Int}". */
export function describe(type: Type): string {
  switch (type.kind) {
    case 'List':
      return `a list ${show(type)}`
    case 'Record':
      return `a record ${show(type)}`
    case 'Dist':
      return `a distribution ${show(type)}`
    case 'Function':
      return 'a function'
    case 'Regex':
      return 'a regular expression'
    case 'Unit':
      return 'no value'
    case 'Unknown':
      return 'any value'
    case 'Int':
      return 'an Int'
    default:
      return `a ${type.kind}`
  }
}

function key(name: string): string {
  return /^[\p{L}_][\p{L}\p{Nd}_]*$/u.test(name) ? name : JSON.stringify(name)
}
