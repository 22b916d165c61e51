import { suggest } from '../diagnostics/suggest.js'
import type { TypeExp } from '../syntax/ast.js'
import type { Checker } from './checker.js'
import { bool, context, distOf, float, int, listOf, model, string, token, unknown, weight } from './relations.js'
import type { Type } from './types.js'

const named: ReadonlyMap<string, Type> = new Map([
  ['Int', int],
  ['Float', float],
  ['Bool', bool],
  ['String', string],
  ['Token', token],
  ['Context', context],
  ['Model', model],
  ['Weight', weight],
])

/** The type that an annotation means; a name that is none is reported, once, and means Unknown. */
export function typeOf(checker: Checker, written: TypeExp): Type {
  const known = checker.annotations.get(written)
  if (known) return known
  const type = read(checker, written)
  checker.annotations.set(written, type)
  return type
}

function read(checker: Checker, written: TypeExp): Type {
  switch (written.kind) {
    case 'NamedType':
      return named.get(written.name) ?? unknownName(checker, written)
    case 'ListType':
      return listOf(typeOf(checker, written.element))
    case 'RecordType': {
      const fields = new Map<string, Type>()
      for (const { name, type } of written.fields) {
        if (fields.has(name.text)) {
          checker.report('C031', name.span, `the field \`${name.text}\` is given twice`, { hint: 'leave one of them out' })
        }
        fields.set(name.text, typeOf(checker, type))
      }
      return { kind: 'Record', fields }
    }
    case 'GenericType': {
      const of = typeOf(checker, written.argument)
      if (written.name === 'Dist') return distOf(of)
      const hint = written.name === 'List' ? 'a list of `T` is written `[T]`' : 'only `Dist<T>` takes a type'
      checker.report('C010', written.span, `no type \`${written.name}\` takes another type`, { hint })
      return unknown
    }
    default:
      return written satisfies never
  }
}

function unknownName(checker: Checker, written: TypeExp & { kind: 'NamedType' }): Type {
  const name = suggest(written.name, [...named.keys()])
  const hint =
    written.name === 'Dist'
      ? 'say what it is a distribution over: `Dist<Int>`'
      : name
        ? `did you mean \`${name}\`?`
        : `the types are ${[...named.keys()].join(', ')}, [T], {a: T} and Dist<T>`
  checker.report('C010', written.span, `there is no type \`${written.name}\``, { hint })
  return unknown
}
