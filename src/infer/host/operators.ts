import { equal } from '../equality.js'
import { isContext, isRecord, type Record_, record, Token, type Value, Weight } from '../values.js'
import { logAddExp } from '../weights.js'
import { type Fail, shown } from './failure.js'

/** Longest list and longest text that a program may make: beyond them it is taken to grow without end. */
const LONGEST_LIST = 10_000_000
const LONGEST_TEXT = 10_000_000

/**
 * The operators of language.md §9. Every one takes the number of the place to point at when it fails. A result that is not a
 * number stops the run where it arises; a Weight stays in log space as long as the contract says so.
 */
export function operators(fail: Fail) {
  function number(v: Value, site: number): number {
    if (typeof v === 'number') return v
    if (v instanceof Weight) return Math.exp(v.log)
    return fail('R005', site, `expected a number, found ${shown(v)}`)
  }
  function ok(x: number, site: number): number {
    return Number.isNaN(x)
      ? fail('R001', site, 'this is not a number (NaN)', 'look for 0 / 0, log of a negative number, or infinity minus infinity')
      : x
  }
  /** log of a weight; -Infinity for 0. */
  function logWeight(v: Value, site: number): number {
    const log = v instanceof Weight ? v.log : Math.log(number(v, site))
    if (log < Number.POSITIVE_INFINITY) return log
    if (v instanceof Weight)
      return Number.isNaN(log) ? notANumber(site) : fail('R002', site, 'this weight is infinite', finiteHint)
    const x = number(v, site)
    if (Number.isNaN(x)) return notANumber(site)
    return fail(
      'R002',
      site,
      x < 0 ? `this weight is negative: ${x}` : 'this weight is infinite',
      x < 0 ? negativeHint : finiteHint,
    )
  }
  function notANumber(site: number): never {
    return fail(
      'R001',
      site,
      'this weight is not a number (NaN)',
      'look for 0 / 0, log of a negative number, or infinity minus infinity',
    )
  }
  const weigh = (log: number, site: number) => (Number.isNaN(log) ? notANumber(site) : new Weight(log))

  function text(v: Value): string | null {
    return typeof v === 'string' ? v : v instanceof Token ? v.text : null
  }

  function add(a: Value, b: Value, site: number): Value {
    if (typeof a === 'number' && typeof b === 'number') return ok(a + b, site)
    const [s, t] = [text(a), text(b)]
    if (s !== null && t !== null) {
      if (s.length + t.length > LONGEST_TEXT) fail('R012', site, `this text is longer than ${LONGEST_TEXT} characters`)
      return s + t
    }
    if (Array.isArray(a) && Array.isArray(b)) {
      if (a.length + b.length > LONGEST_LIST) fail('R012', site, `this list is longer than ${LONGEST_LIST} elements`)
      return a.concat(b)
    }
    if (a instanceof Weight || b instanceof Weight) return new Weight(logAddExp(logWeight(a, site), logWeight(b, site)))
    return fail('R005', site, `expected two numbers, two strings or two lists, found ${shown(a)} and ${shown(b)}`)
  }
  function sub(a: Value, b: Value, site: number): number {
    return ok(number(a, site) - number(b, site), site)
  }
  function mul(a: Value, b: Value, site: number): Value {
    if (typeof a === 'number' && typeof b === 'number') return ok(a * b, site)
    if (a instanceof Weight || b instanceof Weight) return weigh(logWeight(a, site) + logWeight(b, site), site)
    return ok(number(a, site) * number(b, site), site)
  }
  function div(a: Value, b: Value, site: number): Value {
    if (typeof a === 'number' && typeof b === 'number') return ok(a / b, site)
    if (a instanceof Weight || b instanceof Weight) return weigh(logWeight(a, site) - logWeight(b, site), site)
    return ok(number(a, site) / number(b, site), site)
  }
  function pow(a: Value, b: Value, site: number): Value {
    if (typeof a === 'number' && typeof b === 'number') return ok(a ** b, site)
    const exponent = number(b, site)
    if (!(a instanceof Weight || b instanceof Weight)) return ok(number(a, site) ** exponent, site)
    return exponent === 0 ? new Weight(0) : weigh(logWeight(a, site) * exponent, site)
  }
  function compare(a: Value, b: Value, site: number): number {
    if (typeof a === 'number' && typeof b === 'number') return a - b || (a === b ? 0 : a < b ? -1 : 1)
    if (a instanceof Weight && b instanceof Weight) return a.log === b.log ? 0 : a.log < b.log ? -1 : 1
    const [s, t] = [text(a), text(b)]
    if (s !== null && t !== null) return s < t ? -1 : s > t ? 1 : 0
    if (a instanceof Weight && typeof b === 'number') return b < 0 ? 1 : compare(a, new Weight(Math.log(b)), site)
    if (b instanceof Weight && typeof a === 'number') return a < 0 ? -1 : compare(new Weight(Math.log(a)), b, site)
    return fail('R005', site, `expected two numbers or two strings to compare, found ${shown(a)} and ${shown(b)}`)
  }
  function eq(a: Value, b: Value, site: number): boolean {
    if (typeof a === 'number' && typeof b === 'number') return a === b
    for (const v of [a, b]) {
      if (isContext(v)) fail('R005', site, 'contexts cannot be compared', 'compare their texts: write `.text` behind both')
      if (typeof v === 'function') fail('R005', site, 'functions cannot be compared')
    }
    return equal(a, b)
  }
  function int(v: Value, site: number): number {
    const x = number(v, site)
    return Number.isSafeInteger(x) ? x : fail('R005', site, `expected an Int, found ${shown(v)}`)
  }
  function count(v: Value, site: number): number {
    const n = int(v, site)
    return n >= 0 ? n : fail('R006', site, `expected a count of 0 or more, found ${n}`)
  }
  function list(v: Value, site: number): readonly Value[] {
    return Array.isArray(v) ? v : fail('R005', site, `expected a list, found ${shown(v)}`)
  }
  function at(xs: readonly Value[], i: Value, site: number): number {
    const n = int(i, site)
    if (n >= 0 && n < xs.length) return n
    const range = xs.length === 0 ? 'the list is empty' : `the list has ${xs.length}, so the last is ${xs.length - 1}`
    return fail('R004', site, `index ${n} is out of range: ${range}`)
  }

  return {
    number,
    logWeight,
    ok,
    add,
    sub,
    mul,
    div,
    pow,
    eq,
    int,
    count,
    list,
    text,
    toWeight: (v: Value, site: number): Weight => (v instanceof Weight ? v : new Weight(logWeight(v, site))),
    // In a factor, products and powers of plain numbers are formed in log space too; two negative numbers may still make a weight.
    mulWeight(a: Value, b: Value, site: number): Value {
      if (isNegative(a) || isNegative(b)) return ok(number(a, site) * number(b, site), site)
      return weigh(logWeight(a, site) + logWeight(b, site), site)
    },
    divWeight(a: Value, b: Value, site: number): Value {
      if (isNegative(a) || isNegative(b)) return ok(number(a, site) / number(b, site), site)
      return weigh(logWeight(a, site) - logWeight(b, site), site)
    },
    powWeight(a: Value, b: Value, site: number): Value {
      if (isNegative(a)) return pow(a, b, site)
      const exponent = number(b, site)
      return exponent === 0 ? new Weight(0) : weigh(logWeight(a, site) * exponent, site)
    },
    mod: (a: Value, b: Value, site: number): number => ok(number(a, site) % number(b, site), site),
    neg: (a: Value, site: number): number => -number(a, site),
    lt: (a: Value, b: Value, site: number): boolean =>
      typeof a === 'number' && typeof b === 'number' ? a < b : compare(a, b, site) < 0,
    le: (a: Value, b: Value, site: number): boolean =>
      typeof a === 'number' && typeof b === 'number' ? a <= b : compare(a, b, site) <= 0,
    gt: (a: Value, b: Value, site: number): boolean =>
      typeof a === 'number' && typeof b === 'number' ? a > b : compare(a, b, site) > 0,
    ge: (a: Value, b: Value, site: number): boolean =>
      typeof a === 'number' && typeof b === 'number' ? a >= b : compare(a, b, site) >= 0,
    ne: (a: Value, b: Value, site: number): boolean => !eq(a, b, site),
    bool: (v: Value, site: number): boolean =>
      typeof v === 'boolean' ? v : fail('R005', site, `expected a Bool, found ${shown(v)}`),
    isIn(a: Value, b: Value, site: number): boolean {
      if (Array.isArray(b)) return b.some((x) => eq(a, x, site))
      const [part, whole] = [text(a), text(b)]
      if (part !== null && whole !== null) return whole.includes(part)
      if (part !== null && isRecord(b)) return Object.hasOwn(b, part)
      return fail('R005', site, `expected a list or a String after \`in\`, found ${shown(b)}`)
    },
    range(a: Value, b: Value, site: number): readonly number[] {
      const [from, to] = [int(a, site), int(b, site)]
      const length = Math.max(0, to - from + 1)
      if (length > LONGEST_LIST)
        fail('R006', site, `the range ${from}..${to} has ${length} numbers; a list may hold ${LONGEST_LIST}`)
      return Array.from({ length }, (_, i) => from + i)
    },
    index(xs: Value, i: Value, site: number): Value {
      const items = list(xs, site)
      return items[at(items, i, site)]
    },
    slice(xs: Value, from: Value, to: Value, site: number): readonly Value[] {
      const items = list(xs, site)
      const [first, last] = [int(from, site), int(to, site)]
      if (last < first) return []
      return items.slice(at(items, first, site), at(items, last, site) + 1)
    },
    record,
    /** A copy of `value` in which the place that `path` leads to holds what `change` makes of it. */
    update(value: Value, path: readonly Value[], change: (old: Value) => Value, site: number): Value {
      if (path.length === 0) return change(value)
      const [step, ...rest] = path
      if (Array.isArray(value)) {
        const i = at(value, step, site)
        return value.with(i, this.update(value[i], rest, change, site))
      }
      if (!isRecord(value) || typeof step !== 'string')
        return fail('R005', site, `expected a record or a list to update, found ${shown(value)}`)
      if (!Object.hasOwn(value, step))
        return fail('R007', site, `this record has no field \`${step}\`: it has ${Object.keys(value).join(', ') || 'none'}`)
      const changed: Record_ = Object.assign(Object.create(null), value, { [step]: this.update(value[step], rest, change, site) })
      return changed
    },
  }
}

const negativeHint = 'a weight is 0 or more: `exp(x)` turns any number into one'
const finiteHint = 'a weight is finite: look for a division by 0 or a density with no spread'

function isNegative(v: Value): boolean {
  return typeof v === 'number' && v < 0
}
