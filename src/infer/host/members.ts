import { type Distribution, isDistribution, OutcomeError } from '../distributions/distribution.js'
import { isContext, isRecord, ModelValue, startOf, Token, type Value, Weight } from '../values.js'
import { forEvery } from './asks.js'
import type { Contexts } from './contexts.js'
import { type Fail, shown } from './failure.js'
import { printed } from './json.js'
import type { operators } from './operators.js'

type Operators = ReturnType<typeof operators>
type Call = (f: Value, args: readonly Value[], site: number) => Value

/** Fields and methods: what may stand behind a dot (language.md §4, §9). */
export function members(fail: Fail, op: Operators, contexts: Contexts, call: Call) {
  function unknown(target: Value, name: string, site: number): never {
    return fail('R007', site, `${shown(target)} has no \`${name}\``)
  }
  function string(v: Value, site: number): string {
    return op.text(v) ?? fail('R005', site, `expected a String, found ${shown(v)}`)
  }

  function logProb(target: Distribution, value: Value, site: number): number {
    try {
      return target.logProb(value)
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      return fail('R024', site, error.message, error.hint)
    }
  }

  function field(target: Value, name: string, site: number): Value {
    if (isRecord(target))
      return Object.hasOwn(target, name)
        ? target[name]
        : fail('R007', site, `this record has no field \`${name}\`: it has ${Object.keys(target).join(', ') || 'none'}`)
    if (Array.isArray(target)) return name === 'length' ? target.length : unknown(target, name, site)
    if (isContext(target)) {
      if (name === 'ended') return contexts.ended(target)
      const start = startOf(contexts.streamOf(target))
      if (name === 'text') return contexts.textSince(target, start)
      if (name === 'tokens') return contexts.tokensSince(target, start)
      return unknown(target, name, site)
    }
    if (target instanceof Token && name === 'id') return target.id
    if (target instanceof Token && name === 'end') return target.end
    if (target instanceof ModelValue && name === 'end') {
      const end = target.vocabulary.end[0]
      return end === undefined ? fail('R007', site, `the model ${target.name} has no end token`) : target.token(end)
    }
    const text = op.text(target)
    if (text !== null && name === 'length') return codePoints(text)
    return unknown(target, name, site)
  }

  function method(target: Value, name: string, args: readonly Value[], site: number): Value {
    if (isContext(target)) {
      if (name === 'prob') return contexts.prob(target, args[0], site)
      if (name === 'fork') return contexts.fork(target)
    } else if (isDistribution(target)) {
      if (name === 'prob') return new Weight(op.ok(logProb(target, plain(args[0]), site), site))
    } else if (Array.isArray(target)) return ofList(target, name, args, site)
    else if (isRecord(target) && Object.hasOwn(target, name)) return call(target[name], args, site)
    const text = op.text(target)
    if (text !== null) return ofString(text, name, args, site)
    return unknown(target, name, site)
  }

  function ofString(text: string, name: string, [arg]: readonly Value[], site: number): Value {
    switch (name) {
      case 'contains':
        return arg instanceof RegExp ? arg.test(text) : text.includes(string(arg, site))
      case 'startsWith':
        return text.startsWith(string(arg, site))
      case 'endsWith':
        return text.endsWith(string(arg, site))
      case 'lower':
        return text.toLowerCase()
      case 'upper':
        return text.toUpperCase()
      case 'trim':
        return text.trim()
      case 'words':
        return text.split(/\s+/u).filter((word) => word !== '')
      case 'split':
        return arg === '' ? [...text] : text.split(arg instanceof RegExp ? arg : string(arg, site))
      case 'matches':
        return arg instanceof RegExp
          ? new RegExp(`^(?:${arg.source})$`, arg.flags).test(text)
          : fail('R005', site, `expected a regular expression, found ${shown(arg)}`)
      case 'count': {
        const part = string(arg, site)
        return part === ''
          ? fail('R006', site, 'the empty text occurs everywhere: count a text of one character or more')
          : text.split(part).length - 1
      }
      default:
        return unknown(text, name, site)
    }
  }

  function ofList(items: readonly Value[], name: string, [arg]: readonly Value[], site: number): Value {
    const test = (x: Value) => op.bool(call(arg, [x], site), site)
    switch (name) {
      case 'map':
        return forEvery(items, (x) => call(arg, [x], site))
      case 'filter': {
        const kept = forEvery(items, test)
        return items.filter((_, i) => kept[i])
      }
      case 'any':
        return forEvery(items, test).includes(true)
      case 'all':
        return !forEvery(items, test).includes(false)
      case 'sum':
        return items.length === 0 ? 0 : items.reduce((a, b) => op.add(a, b, site))
      case 'join':
        return items.map((x) => printed(x, fail, site)).join(string(arg, site))
      default:
        return unknown(items, name, site)
    }
  }

  return { field, method }
}

/** A value as distributions take it: weights are numbers there. */
export function plain(v: Value): Value {
  return v instanceof Weight ? v.toNumber() : v
}

function codePoints(text: string): number {
  let n = 0
  for (const _ of text) n++
  return n
}
