import type { Type } from '../check/types.js'
import type { Population } from './executor.js'
import type { Host } from './host/host.js'
import type { Json, Moments, PosteriorEntry, RunResult, Sample } from './result.js'
import { ess, logMeanExp, normalise } from './weights.js'

export type Summary = Pick<
  RunResult,
  'partial' | 'logZ' | 'ess' | 'alive' | 'resamples' | 'posterior' | 'moments' | 'samples' | 'steps'
>

const quantileLevels = { '5%': 0.05, '25%': 0.25, '50%': 0.5, '75%': 0.75, '95%': 0.95 } as const

/**
 * What a weighted population says: log Z-hat = log (1/N) sum of weights, equal answers added up, and for real-valued answers mean, sd
 * and quantiles per field. An interrupted run speaks of its intermediate target; only finished particles have answers.
 */
export function summarise(population: Population, result: Type, host: Host, site: number): Summary {
  const { particles, asked, steps, partial } = population
  const logw = Float64Array.from(particles, (p) => p.logw)
  const logZ = logMeanExp(logw, asked)
  const weights = normalise(logw)
  const values = particles.map((p): Json => (p.status === 'finished' ? host.json(p.value, site) : null))
  const samples = particles.map(
    (p, i): Sample => ({ value: values[i]!, weight: weights[i]!, logWeight: p.status === 'dead' ? null : p.logw }),
  )
  const answered = particles.flatMap((p, i) => (p.status === 'finished' ? [i] : []))
  // Normalised among themselves: beside the unfinished ones of an interrupted run their weights may vanish.
  const shares = normalise(Float64Array.from(answered, (i) => particles[i]!.logw))
  const answers = answered.map((i, k): Answer => ({ value: values[i]!, share: shares[k]! }))
  return {
    partial,
    logZ: Number.isFinite(logZ) ? logZ : null,
    ess: ess(logw),
    alive: particles.filter((p) => p.status !== 'dead').length,
    resamples: steps.filter((s) => s.resampled).length,
    posterior: posterior(answers),
    moments: moments(answers, result),
    samples,
    steps,
  }
}

/** What one finished particle returned, and its share of the weight of all finished ones. */
interface Answer {
  readonly value: Json
  readonly share: number
}

function posterior(answers: readonly Answer[]): PosteriorEntry[] {
  const groups = new Map<string, { value: Json; probability: number; count: number }>()
  for (const { value, share } of answers) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group) {
      group.probability += share
      group.count++
    } else groups.set(key, { value, probability: share, count: 1 })
  }
  return [...groups.values()].sort((a, b) => b.probability - a.probability || b.count - a.count)
}

/** The same text for equal values: records are equal whatever the order of their fields. */
function keyOf(value: Json): string {
  return JSON.stringify(value, (_, part: Json) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

function moments(answers: readonly Answer[], result: Type): Moments[] {
  const columns = new Map<string, { real: boolean; x: number[]; w: number[] }>()
  for (const { value, share } of answers) {
    leaves(value, result, '', (path, x, type) => {
      let column = columns.get(path)
      if (!column) columns.set(path, (column = { real: false, x: [], w: [] }))
      column.real ||= isReal(type) || (type.kind === 'Unknown' && !Number.isInteger(x))
      column.x.push(x)
      column.w.push(share)
    })
  }
  // Whole numbers beside real ones are described like them: the list of values says little then.
  const isRealAnswer = [...columns.values()].some(({ real }) => real)
  return isRealAnswer ? [...columns].map(([path, { x, w }]) => momentsOf(path, x, w)) : []
}

/** The numbers inside a value, each with the path that leads to it and its type. */
function leaves(value: Json, type: Type, path: string, visit: (path: string, x: number, type: Type) => void): void {
  if (typeof value === 'number') visit(path, value, type)
  else if (Array.isArray(value)) {
    const element = type.kind === 'List' ? type.element : unknown
    value.forEach((item, i) => {
      leaves(item, element, `${path}[${i}]`, visit)
    })
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      const field = (type.kind === 'Record' && type.fields.get(name)) || unknown
      leaves(item, field, path === '' ? name : `${path}.${name}`, visit)
    }
  }
}

const unknown: Type = { kind: 'Unknown' }

function isReal(type: Type): boolean {
  return type.kind === 'Float' || type.kind === 'Weight'
}

function momentsOf(path: string, x: readonly number[], w: readonly number[]): Moments {
  const total = w.reduce((sum, v) => sum + v, 0)
  // Around the first value: equal values then have exactly that mean, and no spread.
  const mean = x[0]! + x.reduce((sum, v, i) => sum + (w[i]! / total) * (v - x[0]!), 0)
  const variance = x.reduce((sum, v, i) => sum + (w[i]! / total) * (v - mean) ** 2, 0)
  const order = x.map((_, i) => i).sort((a, b) => x[a]! - x[b]!)
  const quantile = (level: number) => {
    let cumulative = 0
    for (const i of order) {
      cumulative += w[i]! / total
      if (cumulative >= level) return x[i]!
    }
    return x[order[order.length - 1]!]!
  }
  const quantiles = Object.fromEntries(Object.entries(quantileLevels).map(([name, level]) => [name, quantile(level)]))
  return { path, mean, sd: Math.sqrt(variance), quantiles: quantiles as Moments['quantiles'] }
}
