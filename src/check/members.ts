import {
  bool,
  context,
  float,
  functionOf,
  int,
  isNumber,
  isOpen,
  isPrintable,
  listOf,
  string,
  token,
  unknown,
  weight,
} from './relations.js'
import type { Parameter, Signature } from './signature.js'
import type { Type } from './types.js'

/** What may follow the dot (language.md §4, §8, §9): data are fields, computations are methods. */
export interface Members {
  readonly fields: ReadonlyMap<string, Type>
  readonly methods: ReadonlyMap<string, Signature>
}

const method = (result: Type, ...parameters: readonly Parameter[]): Signature => ({ parameters, result: () => result })
const text = (name: string, pattern?: 'or' | 'only'): Parameter => ({ name, type: string, ...(pattern && { pattern }) })

const stringFields: [string, Type][] = [['length', int]]
const stringMethods = new Map<string, Signature>([
  ['contains', method(bool, text('part', 'or'))],
  ['startsWith', method(bool, text('part'))],
  ['endsWith', method(bool, text('part'))],
  ['lower', method(string)],
  ['upper', method(string)],
  ['trim', method(string)],
  ['words', method(listOf(string))],
  ['split', method(listOf(string), text('separator', 'or'))],
  ['matches', method(bool, text('pattern', 'only'))],
  ['count', method(int, text('part'))],
])

const ofString: Members = { fields: new Map(stringFields), methods: stringMethods }
const ofToken: Members = {
  fields: new Map([...stringFields, ['id', int], ['end', bool]]),
  methods: stringMethods,
}
const ofContext: Members = {
  fields: new Map([
    ['text', string],
    ['tokens', listOf(token)],
    ['ended', bool],
  ]),
  methods: new Map([
    [
      'prob',
      method(weight, { name: 'text', type: unknown, accepts: isObservableText, wants: 'a String, a Token or a list of Tokens' }),
    ],
    ['fork', method(context)],
  ]),
}
const ofModel: Members = { fields: new Map([['end', token]]), methods: new Map() }
const none: Members = { fields: new Map(), methods: new Map() }

/** The members of a type; undefined where the type is not known. */
export function membersOf(type: Type): Members | undefined {
  switch (type.kind) {
    case 'Unknown':
      return undefined
    case 'String':
      return ofString
    case 'Token':
      return ofToken
    case 'Context':
      return ofContext
    case 'Model':
      return ofModel
    case 'Record':
      return { fields: type.fields, methods: new Map() }
    case 'Dist':
      return { fields: new Map(), methods: new Map([['prob', method(weight, { name: 'x', type: type.of })]]) }
    case 'List':
      return ofList(type.element)
    default:
      return none
  }
}

function ofList(element: Type): Members {
  const test: Parameter = { name: 'test', type: functionOf([element], bool) }
  return {
    fields: new Map([['length', int]]),
    methods: new Map<string, Signature>([
      [
        'map',
        {
          parameters: [{ name: 'function', type: functionOf([element], unknown) }],
          result: ([f]) => listOf(f?.kind === 'Function' ? f.result : unknown),
        },
      ],
      ['filter', method(listOf(element), test)],
      ['any', method(bool, test)],
      ['all', method(bool, test)],
      ['join', method(string, text('separator'))],
      ['sum', method(isNumber(element) || isOpen(element) ? element : float)],
    ]),
  }
}

/** What a method asks of the elements of its list; undefined when they are right. */
export function elementsWanted(list: Type, name: string): string | undefined {
  if (list.kind !== 'List' || isOpen(list.element)) return undefined
  if (name === 'sum' && !isNumber(list.element)) return 'numbers'
  if (name === 'join' && !isPrintable(list.element)) return 'values that have a text'
  return undefined
}

/** What a context can be moved past: a string, a token, or a list of tokens. */
export function isObservableText(type: Type): boolean {
  if (type.kind === 'List') return type.element.kind === 'Token' || isOpen(type.element)
  return type.kind === 'String' || type.kind === 'Token'
}
