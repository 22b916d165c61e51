import { type CharacterDfa, combined } from './character-dfa.js'
import { TooLarge } from './regex-nfa.js'
import { isRecord, propertiesOf, recordOf, requireSchema, requireStep, type Schema, step } from './schema-keywords.js'
import { conjunction, jointly } from './schema-merge.js'
import { anyOfThese, containing, onlyThese, otherThan, stringBounds } from './schema-strings.js'

/** What is said of the value of a property. */
export interface ValueSchema {
  readonly schema: unknown
  /** Where it stands; schemas that stand at one place are equal. */
  readonly path: string
}

/** Names of properties whose values have one schema. */
export interface NameGroup extends ValueSchema {
  /** undefined: any name. */
  readonly names: CharacterDfa | undefined
}

/** Groups that names may fall into: every pattern may double them. */
const mostGroups = 64

/** What one schema says of the properties of a record. */
interface Part {
  readonly properties: Schema
  readonly patterns: readonly { readonly names: CharacterDfa; readonly value: ValueSchema }[]
  readonly others: ValueSchema
}

/**
 * What `properties`, `patternProperties`, `additionalProperties` and `propertyNames` of one schema, or of several that are joined, say together
 * of a name and its value. `root` is the document that `$ref` looks into. Throws P003, P007, P008.
 */
export class PropertyNames {
  readonly #parts: readonly Part[]
  /** undefined: any name. */
  readonly #allowed: CharacterDfa | undefined

  constructor(
    root: unknown,
    schemas: readonly Schema[],
    private readonly path: string,
  ) {
    this.#parts = schemas.map((schema) => partOf(schema, path))
    const allowed = schemas.flatMap((schema) =>
      'propertyNames' in schema ? (namesThatFit(root, schema.propertyNames, `${path}/propertyNames`) ?? []) : [],
    )
    this.#allowed = allowed.length === 0 ? undefined : allowed.reduce((all, each) => combined(all, 'and', each))
  }

  /** What is said of the value of this property; `false` where it may not stand. */
  of(name: string): ValueSchema {
    const path = step(`${this.path}/properties`, name)
    const own = onlyThese([name])
    const isIn = (names: CharacterDfa) => combined(own, 'and', names).dfa.size > 0
    if (this.#allowed && !isIn(this.#allowed)) return { schema: false, path }
    const said = this.#parts.flatMap(({ properties, patterns, others }) => {
      const all = patterns.filter(({ names }) => isIn(names)).map(({ value }) => value)
      if (Object.hasOwn(properties, name)) all.unshift({ schema: properties[name], path })
      return all.length > 0 ? all : [others]
    })
    return this.#joined(said, path)
  }

  /** All names but `except`, in groups that have no name in common. */
  others(except: readonly string[]): NameGroup[] {
    const all = this.#allowed ? combined(otherThan(except), 'and', this.#allowed) : otherThan(except)
    let groups = [{ names: all, said: this.#parts.map((): ValueSchema[] => []) }]
    for (const [i, { patterns }] of this.#parts.entries()) {
      for (const { names, value } of patterns) {
        groups = groups
          .flatMap((group) => [
            { names: combined(group.names, 'and', names), said: group.said.map((all, j) => (j === i ? [...all, value] : all)) },
            { names: combined(group.names, 'andNot', names), said: group.said },
          ])
          .filter((group) => group.names.dfa.size > 0)
        if (groups.length > mostGroups) throw new TooLarge()
      }
    }
    const isAny = except.length === 0 && !this.#allowed && this.#parts.every(({ patterns }) => patterns.length === 0)
    return groups
      .filter(({ names }) => names.dfa.size > 0)
      .map(({ names, said }, i) => {
        const all = said.flatMap((values, part) => (values.length > 0 ? values : [this.#parts[part]!.others]))
        return { ...this.#joined(all, `${this.path}/additionalProperties of names ${i + 1}`), names: isAny ? undefined : names }
      })
      .filter(({ schema }) => schema !== false)
  }

  /** `path`: where all of it stands together. */
  #joined(said: readonly ValueSchema[], path: string): ValueSchema {
    if (said.length === 1 && this.#parts.length === 1) return said[0]!
    return { schema: jointly(said.map(({ schema }) => schema)), path }
  }
}

function partOf(schema: Schema, path: string): Part {
  const at = `${path}/patternProperties`
  return {
    properties: propertiesOf(schema, path),
    patterns: Object.entries(recordOf(schema, 'patternProperties', path)).map(([pattern, value]) => ({
      names: containing(pattern, step(at, pattern)),
      value: { schema: value, path: step(at, pattern) },
    })),
    others: { schema: schema.additionalProperties ?? true, path: `${path}/additionalProperties` },
  }
}

/** The names that `propertyNames` lets through; undefined: any name. */
function namesThatFit(root: unknown, schema: unknown, path: string, depth = 0): CharacterDfa | undefined {
  requireStep(depth, path)
  const whole = isRecord(schema) ? conjunction(root, [schema], path) : schema
  if (whole === true) return undefined
  if (whole === false) return onlyThese([])
  requireSchema(whole, path)
  if (Array.isArray(whole.anyOf)) {
    const cases = whole.anyOf.map((each) => namesThatFit(root, each, path, depth + 1))
    return cases.every((each) => each !== undefined) ? anyOfThese(cases) : undefined
  }
  const { type } = whole
  if (type !== undefined && ![type].flat().includes('string')) return onlyThese([])
  if (Array.isArray(whole.enum)) return onlyThese(whole.enum.filter((each): each is string => typeof each === 'string'))
  return stringBounds(whole, path)
}
