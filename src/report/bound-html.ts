import type { BoundRow } from '../infer/bound.js'
import type { BoundResult } from '../infer/bound-result.js'
import { boundFacts, figures } from './bound-page.js'
import { document, escapeHtml } from './html.js'
import { label, scale, svg } from './picture.js'
import { showFixed } from './value.js'

const width = 640
const height = 240
const margin = { left: 56, right: 14, top: 12, bottom: 28 }

/** One page with the bounds, their plot and what they mean: no script, no request to anywhere, light and dark. */
export function boundHtml(result: BoundResult): string {
  const facts = boundFacts(result, '').slice(1)
  const rows = figures(result).map(
    ([name, figure, note]) =>
      `<tr><th scope="row">${escapeHtml(name)}</th><td class="number">${escapeHtml(figure)}</td><td>${escapeHtml(note)}</td></tr>`,
  )
  const picture = boundPicture(result)
  return document(result.program, [...facts, `smcc ${result.smcc}`], result.partial, [
    `<section><h2>Verdict</h2><p>${escapeHtml(result.verdict)}</p><table>${rows.join('')}</table></section>`,
    picture === ''
      ? ''
      : `<section><h2>Bounds on log Z</h2><figure>${picture}<figcaption>From below and from above, with 95 % intervals; strong lines are SMC, faint ones importance sampling. The dashed line is log Z.</figcaption></figure></section>`,
    `<section><h2>Figures</h2>${table(result.rows)}</section>`,
  ])
}

function table(rows: readonly BoundRow[]): string {
  const value = (x: number | null, e: number | null) => (x === null ? '−∞' : `${showFixed(x, 3)} ± ${showFixed(e!, 3)}`)
  const head = ['particles', 'sampler', 'lower', 'upper', 'log mean', 'all dead', 'repeats']
  const body = rows.map((row) => [
    String(row.particles),
    row.sampler,
    value(row.lower, row.lowerError),
    row.upper === null ? 'unknown' : value(row.upper, row.upperError),
    row.logMean === null ? '−∞' : showFixed(row.logMean, 3),
    String(row.dead),
    String(row.repeats),
  ])
  const cells = (row: readonly string[]) => row.map((cell) => `<td class="number">${escapeHtml(cell)}</td>`).join('')
  return `<table class="figures"><tr>${head.map((name) => `<th scope="col">${name}</th>`).join('')}</tr>${body.map((row) => `<tr>${cells(row)}</tr>`).join('')}</table>`
}

/** Both bounds against the size of the population, on a logarithmic scale. Empty where no bound is finite. */
export function boundPicture({ rows, logZ }: BoundResult): string {
  const points = rows.flatMap((row) => (['lower', 'upper'] as const).flatMap((side) => point(row, side)))
  if (points.length === 0) return ''
  const all = [...points.flatMap(({ low, high }) => [low, high]), ...(logZ.estimate === null ? [] : [logZ.estimate])]
  const [bottom, top] = [Math.min(...all), Math.max(...all)]
  const sizes = [...new Set(rows.map(({ particles }) => particles))]
  const least = Math.log(sizes[0]!)
  const range = Math.max(Math.log(sizes.at(-1)!) - least, 1e-9)
  const x = (size: number) =>
    scale(sizes.length === 1 ? 0.5 : (Math.log(size) - least) / range, 1, margin.left + 8, width - margin.right - 8)
  const y = (log: number) => scale(top > bottom ? (log - bottom) / (top - bottom) : 0.5, 1, height - margin.bottom, margin.top)
  const parts = (['importance', 'smc'] as const).flatMap((sampler) =>
    (['lower', 'upper'] as const).map((side) => {
      const own = rows.filter((row) => row.sampler === sampler).flatMap((row) => point(row, side))
      const name = sampler === 'smc' ? 'line' : 'faint'
      const line = own.map(({ size, mean }) => `${x(size)},${y(mean)}`).join(' ')
      const bars = own.map(({ size, low, high }) => `M${x(size)} ${y(low)}V${y(high)}`).join('')
      return own.length === 0 ? '' : `<polyline class="${name}" points="${line}"/><path class="${name}" d="${bars}"/>`
    }),
  )
  const at = logZ.estimate === null ? null : y(logZ.estimate)
  return svg(
    'bounds on log Z against the number of particles',
    [
      at === null ? '' : `<line class="limit" x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}"/>`,
      ...parts,
      ...sizes.map((size) => label(x(size), height - 8, 'middle', String(size))),
      label(margin.left - 6, y(top) + 4, 'end', showFixed(top, 2)),
      label(margin.left - 6, y(bottom) + 4, 'end', showFixed(bottom, 2)),
    ].join(''),
    { width, height },
  )
}

interface Point {
  readonly size: number
  readonly mean: number
  readonly low: number
  readonly high: number
}

function point(row: BoundRow, side: 'lower' | 'upper'): Point[] {
  const mean = row[side]
  const error = row[`${side}Error`]
  if (mean === null || error === null) return []
  return [{ size: row.particles, mean, low: mean - error, high: mean + error }]
}
