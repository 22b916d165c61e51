import type { RunResult } from '../infer/result.js'
import { ancestry } from './ancestry.js'

const width = 640
const height = 160
const margin = { left: 44, right: 10, top: 10, bottom: 24 }
/** Steps and slots that the ancestry picture draws at most; beyond it every k-th one stands for its neighbours. */
const most = { columns: 80, rows: 64 }

/** Effective sample size against the step, as inline SVG; a dot marks a step that resampled. Empty for a run without steps. */
export function essPicture(result: RunResult): string {
  const { steps, settings } = result
  if (steps.length === 0) return ''
  const x = (index: number) => scale(index, Math.max(1, steps.length - 1), margin.left, width - margin.right)
  const y = (ess: number) => scale(ess, settings.particles, height - margin.bottom, margin.top)
  const points = steps.map((step, index) => `${x(index)},${y(step.ess)}`)
  const dots = steps
    .map((step, index) => (step.resampled ? `<circle class="accent" cx="${x(index)}" cy="${y(step.ess)}" r="3"/>` : ''))
    .join('')
  const limit = y(settings.threshold * settings.particles)
  return svg(
    'effective sample size at every step',
    [
      settings.method === 'steer'
        ? ''
        : `<line class="limit" x1="${margin.left}" x2="${width - margin.right}" y1="${limit}" y2="${limit}"/>`,
      `<polyline class="line" points="${points.join(' ')}"/>`,
      dots,
      label(margin.left - 6, y(settings.particles) + 4, 'end', String(settings.particles)),
      label(margin.left - 6, y(0) + 4, 'end', '0'),
      label(x(0), height - 6, 'start', `step ${steps[0]!.step}`),
      steps.length > 1 ? label(x(steps.length - 1), height - 6, 'end', `step ${steps.at(-1)!.step}`) : '',
    ].join(''),
  )
}

/**
 * The family tree of the particles: a column a step, a row a slot, a line from each slot to the one that filled it.
 * Strong lines lead to the final particles, faint ones died out. Empty when nothing was resampled.
 */
export function ancestryPicture(result: RunResult): string {
  const { steps, samples, sweeps = [] } = result
  // The samples of `gibbs` come from populations of their own.
  if (sweeps.length > 0 || steps.every((step) => step.ancestors === null)) return ''
  const columnStride = Math.ceil(steps.length / most.columns)
  // Slots that the population had at the start, and after each step: `steer` may leave fewer than there were.
  const sizes = [result.settings.particles]
  for (const { ancestors } of steps) sizes.push(ancestors?.length ?? sizes.at(-1)!)
  const slots = Math.max(...sizes)
  const rowStride = Math.ceil(slots / most.rows)
  const x = (column: number) => scale(column, steps.length, margin.left, width - margin.right)
  const y = (slot: number) => scale(slot, Math.max(1, slots - 1), margin.top, height - margin.bottom)
  let living = new Set(samples.flatMap((sample, slot) => (sample.weight > 0 ? [slot] : [])))
  // A line may span several columns when they are thinned: `reach` holds where each slot of the right end came from.
  let right = steps.length
  let reach = range(sizes[right]!)
  const faint: string[] = []
  const strong: string[] = []
  for (let column = steps.length - 1; column >= 0; column--) {
    const ancestors = steps[column]!.ancestors
    if (ancestors) reach = reach.map((slot) => ancestors[slot] ?? slot)
    if (column % columnStride !== 0) continue
    reach.forEach((from, slot) => {
      const path = `M${x(column)} ${y(from)}L${x(right)} ${y(slot)}`
      if (living.has(slot)) strong.push(path)
      else if (slot % rowStride === 0) faint.push(path)
    })
    living = new Set([...living].map((slot) => reach[slot]!))
    right = column
    reach = range(sizes[right]!)
  }
  return svg(
    'ancestry of the final particles',
    [
      `<path class="faint" d="${faint.join('')}"/>`,
      `<path class="line" d="${strong.join('')}"/>`,
      label(x(0), height - 6, 'start', `at the start: ${ancestry(result).roots}`),
      label(x(steps.length), height - 6, 'end', `at the end: ${ancestry(result).particles}`),
    ].join(''),
  )
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

export function scale(value: number, most: number, from: number, to: number): number {
  return Math.round((from + ((to - from) * value) / most) * 10) / 10
}

export function label(x: number, y: number, anchor: 'start' | 'middle' | 'end', text: string): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${text}</text>`
}

export function svg(title: string, body: string, size = { width, height }): string {
  return `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${title}">${body}</svg>`
}
