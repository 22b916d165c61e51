import type { Moments, RunResult } from '../infer/result.js'
import { type Check, checks } from './checks.js'
import { cells, isNumeric, showFixed, showNumber, showProbabilities, showValue, truncate } from './value.js'

export interface PageOptions {
  /** Cells of a terminal line; absent in a pipe, where nothing is cut. */
  readonly width?: number
  /** How parts are marked; each gets the finished text. Absent: plain text. */
  readonly style?: PageStyle
}

export interface PageStyle {
  bold(text: string): string
  dim(text: string): string
  ok(text: string): string
  warn(text: string): string
}

/** Values of the posterior that the page lists; the JSON and HTML hold all. */
export const listed = 10

const same = (text: string) => text
/** Text without marks. */
export const plain: PageStyle = { bold: same, dim: same, ok: same, warn: same }

/** The page that `smcc run` prints for a person: header, answer, checks, speed. Ends with a line break. */
export function page(result: RunResult, options: PageOptions = {}): string {
  const style = options.style ?? plain
  const width = options.width ?? Number.POSITIVE_INFINITY
  const lines = [
    header(result, style),
    ...(describedByMoments(result) ? [] : posterior(result, width, style)),
    ...moments(result.moments, style),
    ...learned(result).map((check) => checkLine(check, style)),
    ...checks(result).map((check) => checkLine(check, style)),
    style.dim(speed(result)),
  ]
  return `${lines.join('\n')}\n`
}

/** Draws of real numbers are all different: a list of them, each once, tells nothing that the moments do not. */
export function describedByMoments({ moments, posterior }: RunResult): boolean {
  return moments.length > 0 && posterior.every((entry) => isNumeric(entry.value))
}

function header(result: RunResult, style: PageStyle): string {
  const models = [...new Set(Object.values(result.models).map((model) => model.id))]
  const count = result.settings.particles
  const particles = `${count} ${count === 1 ? 'particle' : 'particles'}`
  const parts = [style.bold(result.program), ...models, particles, `seed ${result.settings.seed}`]
  if (result.settings.method !== 'smc') parts.splice(-1, 0, methodText(result))
  if (result.settings.device !== 'cpu') parts.push(`on ${result.settings.device}`)
  if (result.partial) parts.push(style.warn('partial'))
  return parts.join(' · ')
}

/** `importance`; `steer × 3`: each unfinished particle goes on as three; `gibbs × 10`: so many sweeps. */
export function methodText({ settings: { method, expansion, sweeps } }: RunResult): string {
  if (method === 'steer') return `steer × ${expansion}`
  return method === 'gibbs' ? `gibbs × ${sweeps}` : method
}

function posterior(result: RunResult, width: number, style: PageStyle): string[] {
  const shown = result.posterior.slice(0, listed)
  const probabilities = showProbabilities(shown.map((entry) => entry.probability))
  const probabilityWidth = Math.max(...probabilities.map((text) => text.length))
  const counts = shown.map((entry) => `×${entry.count}`)
  const countWidth = Math.max(...counts.map((text) => text.length))
  const lines = shown.map((entry, index) => {
    const start = `  ${probabilities[index]!.padStart(probabilityWidth)}  ${counts[index]!.padEnd(countWidth)}  `
    return start + truncate(showValue(entry.value), Math.max(8, width - cells(start)))
  })
  const rest = result.posterior.slice(listed)
  if (rest.length > 0) {
    const mass = rest.reduce((sum, entry) => sum + entry.probability, 0)
    lines.push(style.dim(`  … and ${rest.length} more, together ${showProbabilities([mass])[0]}`))
  }
  return lines
}

function moments(list: readonly Moments[], style: PageStyle): string[] {
  if (list.length === 0) return []
  const rows = list.map((m) => [
    m.path === '' ? 'value' : m.path,
    ...[m.mean, m.sd, ...Object.values(m.quantiles)].map((value) => showNumber(value)),
  ])
  const table = [['', 'mean', 'sd', ...Object.keys(list[0]!.quantiles)], ...rows]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  return table.map((row, index) => {
    const line = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
    const text = `  ${line.join('  ')}`
    return index === 0 ? style.dim(text) : text
  })
}

type CheckLine = Pick<Check, 'figure' | 'verdict' | 'advice'> & { readonly name: string }

/** Where each learned twist comes from. */
function learned({ learned = [] }: RunResult): CheckLine[] {
  return learned.map(({ name, file, loss, programChanged }) => {
    if (file === null)
      return { name: 'twist', figure: name, verdict: 'none', advice: 'untrained: 1 everywhere; `smcc train` fits it' }
    const changed = programChanged ? '; the program has changed since, which is allowed' : ''
    return { name: 'twist', figure: name, verdict: 'ok', advice: `learned (${loss}), from ${file}${changed}` }
  })
}

/** `ESS          41 of 64      ok`; where the advice holds the number, the verdict stands in the column of the figures. */
function checkLine(check: CheckLine, style: PageStyle): string {
  const name = check.name.padEnd(11)
  const verdict = check.verdict === 'none' ? '' : style[check.verdict](check.verdict)
  const tail = [verdict, check.advice].filter((part) => part !== '').join('  ')
  if (check.figure === '') return `${name}  ${tail}`
  return `${name}  ${tail === '' ? check.figure : `${check.figure.padEnd(12)}  ${tail}`}`
}

function speed({ timing }: RunResult): string {
  const seconds = `${showFixed(timing.seconds, timing.seconds < 1 ? 2 : timing.seconds < 100 ? 1 : 0)} s`
  return timing.tokens > 0 ? `${showFixed(timing.tokensPerSecond, 0)} tokens/s · ${seconds}` : seconds
}
