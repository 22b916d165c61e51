import type { Span } from '../../diagnostics/span.js'
import type { LearnedTwist } from '../learned/twist.js'
import type { Datum } from '../trace.js'
import { ClassifierValue, isContext, ModelValue, type Value } from '../values.js'
import { answer } from './asks.js'
import { builtins } from './builtins.js'
import { contexts, type Streaming } from './contexts.js'
import { type Fail, failureAt, shown } from './failure.js'
import { printed, toJson } from './json.js'
import { learning } from './learning.js'
import { members } from './members.js'
import { operators } from './operators.js'
import { matching } from './patterns.js'

/** Turns of a loop inside one expression after which it is taken not to end. */
const MOST_TURNS = 100_000_000
/** Longest time, in ms, that the loops of one expression may take. */
const LONGEST_EXPRESSION = 20_000
/** Turns between two looks at the clock. */
const TURNS_A_LOOK = 256
const endless = 'give the loop a condition that it meets, or a `break`'

/** What generated JavaScript calls `rt`. Before an expression is evaluated, `enter` says whose it is. */
export type Host = ReturnType<typeof createHost>

export function createHost(
  sites: Span[],
  models: readonly ModelValue[],
  classifiers: readonly ClassifierValue[] = [],
  learned: readonly LearnedTwist[] = [],
) {
  const fail: Fail = failureAt(sites)
  let particle: Streaming | null = null
  let turns = 0
  let entered = 0
  const known = new Map<Span, number>()
  const regexes = new Map<string, RegExp>()
  const params: Value[] = []
  let conditioned: ReadonlyMap<Span, number> = new Map()
  let seen: readonly Datum[] | null = null
  let own: readonly (readonly [number, Value])[] = []
  const running = () => particle ?? fail('R008', 0, 'a context can be opened only while the program runs')
  const op = operators(fail)
  const streams = contexts(fail, op, running)
  const call = (f: Value, args: readonly Value[], site: number): Value => invoke(f, args, {}, site)

  function invoke(f: Value, args: readonly Value[], named: Readonly<Record<string, Value>>, site: number): Value {
    if (typeof f === 'function') return f(...args)
    if (f instanceof ModelValue) {
      const { prompt = args[0], ...options } = named
      return streams.open(f, prompt, options, site)
    }
    if (f instanceof ClassifierValue) return classify(f, args[0] ?? named.text, site)
    return fail('R005', site, `expected a function to call, found ${shown(f)}`)
  }

  /** A distribution over labels, which waits for its batch unless the text has been judged before in this run. */
  function classify(classifier: ClassifierValue, given: Value, site: number): Value {
    const text = op.text(given) ?? fail('R005', site, `expected a String for the classifier, found ${shown(given)}`)
    const key = `classify ${classifiers.indexOf(classifier)} ${text}`
    const known = running().looksAhead ? undefined : classifier.known.get(text)
    return known ?? answer(running(), { kind: 'classify', key, classifier, text, site })
  }

  /** Params that learned twists see are the data of this particle from now on; those of the program where it has none. */
  function show(data: readonly Datum[] | null): void {
    for (const [index, value] of own) params[index] = value
    const drawn = (data ?? []).flatMap(({ span, shown: value }) => {
      const index = conditioned.get(span)
      return index === undefined ? [] : [{ index, value }]
    })
    own = drawn.map(({ index }) => [index, params[index]] as const)
    for (const { index, value } of drawn) params[index] = value
    seen = data
  }

  return {
    ...op,
    ...streams,
    ...members(fail, op, streams, call),
    ...matching(fail, op, streams, sites),
    ...learning(fail, running, learned),
    mul: (a: Value, b: Value, site: number): Value =>
      isContext(a) && isContext(b) ? streams.times(a, b, 1, site) : op.mul(a, b, site),
    div: (a: Value, b: Value, site: number): Value =>
      isContext(a) && isContext(b) ? streams.times(a, b, -1, site) : op.div(a, b, site),
    pow: (a: Value, b: Value, site: number): Value => (isContext(a) ? streams.power(a, b, site) : op.pow(a, b, site)),
    builtin: builtins(fail, op),
    models,
    classifiers,
    /** Values of the params, in order of declaration. */
    params,
    fail,
    sites,
    /** The number of a place that no expression has: it is added to the sites. */
    siteOf(span: Span): number {
      let site = known.get(span)
      if (site === undefined) known.set(span, (site = sites.push(span) - 1))
      return site
    },
    enter(p: Streaming): void {
      particle = p
      turns = 0
      if (p.data !== seen) show(p.data)
    },
    /** Which params are data that learned twists see: their index, by the statement that observes them. */
    condition(on: ReadonlyMap<Span, number>): void {
      conditioned = on
    },
    /** Whether what a statement observes is such a param, which has the drawn value then. */
    isShown: (span: Span): boolean => conditioned.has(span),
    invoke,
    str: (v: Value, site: number): string => printed(v, fail, site),
    json: (v: Value, site: number) => toJson(v, fail, site),
    regex(pattern: string, flags: string): RegExp {
      const key = `${flags}/${pattern}`
      let regex = regexes.get(key)
      if (!regex) regexes.set(key, (regex = new RegExp(pattern, flags.includes('u') ? flags : `${flags}u`)))
      return regex
    },
    extern(index: number, args: readonly Value[], site: number): Value {
      const key = `${index} ${JSON.stringify(args.map((a) => toJson(a, fail, site)))}`
      return answer(running(), { kind: 'extern', key, extern: index, args, site })
    },
    /** Whether an expression has looped since `enter`: it may have taken long. */
    looped: (): boolean => turns > 0,
    /** A turn of a loop inside one expression, which nothing can interrupt: it is told when it goes on for too long. */
    tick(site: number): void {
      if (++turns === 1) entered = performance.now()
      if (turns > MOST_TURNS) fail('R012', site, `a loop has turned ${MOST_TURNS} times`, endless)
      if (turns % TURNS_A_LOOK === 0 && performance.now() - entered > LONGEST_EXPRESSION)
        fail('R012', site, `a loop has turned for ${LONGEST_EXPRESSION / 1000} s without an answer`, endless)
    },
  }
}
