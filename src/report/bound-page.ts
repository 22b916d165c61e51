import type { BoundRow } from '../infer/bound.js'
import type { BoundResult } from '../infer/bound-result.js'
import { type PageOptions, plain } from './page.js'
import { showFixed } from './value.js'

/** Cells of the plot, between its ends. */
const plotWidth = 48

/** The page that `smcc bound` prints for a person: bounds, log Z, distances, a plot, the verdict. Ends with a line break. */
export function boundPage(result: BoundResult, options: PageOptions = {}): string {
  const style = options.style ?? plain
  const lines = [
    boundFacts(result, style.bold(result.program)).join(' · '),
    ...table(result.rows).map((line, i) => (i === 0 ? style.dim(line) : line)),
    ...plot(result).map((line) => style.dim(line)),
    ...figures(result).map(([name, figure, note]) => `${name.padEnd(15)}  ${figure}${note === '' ? '' : `  ${note}`}`),
    result.verdict,
    style.dim(`${result.timing.tokens} tokens · ${showFixed(result.timing.seconds, result.timing.seconds < 10 ? 1 : 0)} s`),
  ]
  return `${lines.join('\n')}\n`
}

/** Program, models, how it was done. */
export function boundFacts(result: BoundResult, program: string): string[] {
  const models = [...new Set(Object.values(result.models).map((model) => model.id))]
  const repeats = result.rows[0]?.repeats
  return [
    program,
    ...models,
    ...(repeats === undefined ? [] : [`${repeats} repeats`]),
    `seed ${result.settings.seed}`,
    ...(result.partial ? ['partial'] : []),
  ]
}

/** What stands below the table: name, figure, note. */
export function figures(result: BoundResult): [string, string, string][] {
  const { logZ, klProposalTarget, klTargetProposal, klSymmetrised } = result
  const error = (x: number | null) => (x === null ? '' : ` ± ${showFixed(x, 2)}`)
  const kl = (name: string, x: number | null, e: number | null, note: string): [string, string, string][] =>
    x === null ? [] : [[name, `${showFixed(x, 2)}${error(e)}`, note]]
  const ends = logZ.low === logZ.high ? 'exact' : `${bound(logZ.low)} to ${bound(logZ.high)}`
  const interval = logZ.low === null && logZ.high === null ? '' : ends
  const dead = result.rows
    .filter((row) => row.dead > 0)
    .map((row) => `${row.dead} of ${row.repeats} with ${row.particles} (${row.sampler})`)
  return [
    ['log Z', logZ.estimate === null ? 'unknown' : showFixed(logZ.estimate, 2), interval],
    ...(diesAlone(result) ? [['KL(q||sigma)', 'infinite', 'some particles die'] as [string, string, string]] : []),
    ...kl('KL(q||sigma)', klProposalTarget, result.klProposalTargetError, 'the proposal from the target'),
    ...kl('KL(sigma||q)', klTargetProposal, result.klTargetProposalError, 'the target from the proposal'),
    ...kl('symmetrised', klSymmetrised, result.klSymmetrisedError, 'their sum, which needs no log Z'),
    ['exact samples', result.exact ?? 'none', exactNote(result)],
    ...(dead.length > 0 ? [['all dead', dead.join(', '), ''] as [string, string, string]] : []),
  ]
}

/** Whether the proposal gives a chance to what the target excludes: nothing else makes its distance infinite. */
function diesAlone({ rows, klProposalTarget, logZ }: BoundResult): boolean {
  return klProposalTarget === null && logZ.high !== null && rows.some(({ sampler }) => sampler === 'importance')
}

function exactNote({ exact, acceptance, refused }: BoundResult): string {
  const rate = acceptance === null ? [] : [`${showFixed(100 * acceptance, acceptance < 0.01 ? 3 : 1)} % of the runs accepted`]
  const drawn = exact === 'simulate' ? ['all figures are for data drawn from the program, and average over them'] : []
  return [...drawn, ...rate, ...refused.map(({ way, why }) => `not by ${way}: ${why}`)].join('; ')
}

function table(rows: readonly BoundRow[]): string[] {
  const value = (x: number | null, e: number | null) => (x === null ? '-inf' : `${showFixed(x, 2)} ± ${showFixed(e!, 2)}`)
  const cells = [
    ['particles', 'sampler', 'lower', 'upper', 'log mean'],
    ...rows.map((row) => [
      String(row.particles),
      row.sampler,
      value(row.lower, row.lowerError),
      row.upper === null ? 'unknown' : value(row.upper, row.upperError),
      row.logMean === null ? '-inf' : showFixed(row.logMean, 2),
    ]),
  ]
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  return cells.map(
    (row) => `  ${row.map((cell, i) => (i === 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')}`,
  )
}

/** A line a row from its lower to its upper bound, on one scale; `|` marks log Z. */
function plot(result: BoundResult): string[] {
  const { rows, logZ } = result
  const ends = rows.flatMap(({ lower, upper }) => [lower, upper]).concat(logZ.estimate)
  const known = ends.filter((x): x is number => x !== null)
  const [low, high] = [Math.min(...known), Math.max(...known)]
  if (!(high > low)) return []
  const at = (x: number) => Math.round(((x - low) / (high - low)) * (plotWidth - 1))
  const lines = rows.map(({ particles, sampler, lower, upper }) => {
    const cells = new Array<string>(plotWidth).fill(' ')
    const from = lower === null ? 0 : at(lower)
    const to = upper === null ? plotWidth - 1 : at(upper)
    for (let i = from; i <= to; i++) cells[i] = sampler === 'smc' ? '━' : '─'
    if (lower !== null) cells[from] = '['
    if (upper !== null) cells[to] = ']'
    if (logZ.estimate !== null) cells[at(logZ.estimate)] = '|'
    return `  ${String(particles).padStart(7)}  ${sampler === 'smc' ? 'smc' : 'imp'}  ${cells.join('').trimEnd()}`
  })
  const left = showFixed(low, 2)
  return [...lines, `${' '.repeat(16)}${left.padEnd(plotWidth - showFixed(high, 2).length)}${showFixed(high, 2)}`]
}

function bound(x: number | null): string {
  return x === null ? 'unknown' : showFixed(x, 2)
}
