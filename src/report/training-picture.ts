import type { TrainRound } from '../infer/learned/trainer.js'
import { label, scale } from './picture.js'
import { showFixed } from './value.js'

const width = 640
const panel = 150
const margin = { left: 64, right: 14, top: 26, bottom: 24 }

/** Light and dark, as in the HTML pages: this picture is a file of its own. */
const style = `:root { color-scheme: light dark; } text { font: 11px system-ui, sans-serif; fill: light-dark(#6a6f76, #9a9d9f); }
.line, .second { fill: none; stroke: light-dark(#2f6f8f, #6fb3d2); stroke-width: 1.5; stroke-linejoin: round; } .second { stroke-dasharray: 5 3; }
.limit { stroke: light-dark(#e4e1da, #33363a); stroke-width: 1; } .paper { fill: light-dark(#fbfaf7, #17181a); }`

interface Panel {
  readonly title: string
  /** Strong, then dashed; null where nothing is known. */
  readonly lines: readonly ((round: TrainRound) => number | null)[]
  /** The ends of its scale; those of the numbers where left out. */
  readonly range?: readonly [number, number]
}

const panels: readonly Panel[] = [
  { title: 'ESS/N of samples without resampling', lines: [({ ess, particles }) => ess / particles], range: [0, 1] },
  { title: 'loss', lines: [({ loss }) => loss] },
  {
    title: 'KL(q||sigma), and dashed KL(sigma||q), in nats',
    lines: [({ klProposalTarget }) => klProposalTarget, ({ klTargetProposal }) => klTargetProposal],
  },
  { title: 'mean log weight, a lower bound on log Z', lines: [({ lower }) => lower] },
]

/** The rounds of a training as an SVG file: how good the samples are, the loss, and the distances where they are known. */
export function trainingPicture(program: string, rounds: readonly TrainRound[]): string {
  const shown = panels.filter(({ lines }) => lines.some((line) => rounds.some((round) => line(round) !== null)))
  const height = shown.length * panel
  const body = shown.map((each, i) => `<g transform="translate(0 ${i * panel})">${panelOf(each, rounds)}</g>`)
  const title = program.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="training of ${title}">
<style>${style}</style><rect class="paper" width="${width}" height="${height}"/>
${body.join('\n')}
</svg>
`
}

function panelOf({ title, lines, range }: Panel, rounds: readonly TrainRound[]): string {
  const points = lines.map((line) =>
    rounds.flatMap((round) => {
      const value = line(round)
      return value === null ? [] : [{ round: round.round, value }]
    }),
  )
  const values = points.flat().map(({ value }) => value)
  const [low, high] = range ?? [Math.min(...values), Math.max(...values)]
  const last = Math.max(1, ...rounds.map(({ round }) => round))
  const x = (round: number) => scale(round, last, margin.left, width - margin.right)
  const y = (value: number) => scale(high > low ? (value - low) / (high - low) : 0.5, 1, panel - margin.bottom, margin.top)
  const drawn = points.map((own, i) => {
    const path = own.map(({ round, value }) => `${x(round)},${y(value)}`).join(' ')
    return `<polyline class="${i === 0 ? 'line' : 'second'}" points="${path}"/>`
  })
  const zero =
    low < 0 && high > 0 ? `<line class="limit" x1="${margin.left}" x2="${width - margin.right}" y1="${y(0)}" y2="${y(0)}"/>` : ''
  return [
    label(margin.left, 16, 'start', title),
    zero,
    ...drawn,
    label(margin.left - 6, y(high) + 4, 'end', showFixed(high, 2)),
    ...(high > low ? [label(margin.left - 6, y(low) + 4, 'end', showFixed(low, 2))] : []),
    label(x(0), panel - 8, 'start', 'round 0'),
    label(x(last), panel - 8, 'end', String(last)),
  ].join('')
}
