/** A value with its own idea of equality: a token equals a string by its text. */
interface Comparable {
  equals(other: unknown): boolean
}

/**
 * Whether two values of a program are equal: numbers, booleans and strings by value, lists and records part by part, others as
 * their `equals` says, on whichever side it stands, else only when they are the same object.
 */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  const comparable = isComparable(a)
  if (comparable || isComparable(b)) return comparable ? a.equals(b) : (b as Comparable).equals(a)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]))
  if (!isRecord(a) || !isRecord(b)) return false
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equal(a[name], b[name]))
}

/** Records are plain objects and may have a field of any name, `equals` too, so only instances of classes are asked. */
function isComparable(value: unknown): value is Comparable {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !isRecord(value) &&
    typeof (value as Partial<Comparable>).equals === 'function'
  )
}

function isRecord(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
