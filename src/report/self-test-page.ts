import type { LawResult, SelfTestResult, Verdict } from '../infer/self-test/result.js'
import { type PageOptions, plain } from './page.js'
import { showFixed } from './value.js'

/** The page of `smcc check --statistics`: what stood for what, one line a law, and a sentence. Ends with a line break. */
export function selfTestPage(result: SelfTestResult, options: PageOptions = {}): string {
  const style = options.style ?? plain
  const { reference, longest, lists } = result
  const models = Object.entries(result.models).map(
    ([name, { replaced, by, tokens }]) =>
      `${name} (${replaced}): ${by ?? tokens.map((token) => JSON.stringify(token)).join(' ')}`,
  )
  const error = reference.error > 0 ? ` ± ${reference.error.toPrecision(2)}` : ''
  const how = reference.by === 'listing' ? `all ${reference.runs} runs were listed` : `the mean of ${reference.runs} seeds`
  const facts: [string, string][] = [
    ...models.map((text, i): [string, string] => [i === 0 ? 'tables for' : '', text]),
    ...(longest === null ? [] : [['spans', `at most ${longest} token${longest === 1 ? '' : 's'}`] as [string, string]]),
    ...(lists === null
      ? []
      : [['params', `lists cut to ${lists} elements: with more of them it stays unsettled`] as [string, string]]),
    ['target', `Z = ${Number(reference.Z.toPrecision(6))}${error}: ${how}`],
  ]
  const lines = [
    `${style.bold(result.program)} · self-test · seed ${result.seed}`,
    ...facts.map(([name, text]) => `  ${name.padEnd(11)}  ${text}`),
    ...result.laws.flatMap((law) => lawLines(law, (verdict) => mark(verdict, style))),
    ...result.notes.map((note) => style.dim(`  not tried: ${note}`)),
    sentence(result),
    style.dim(`${showFixed(result.timing.seconds, 1)} s`),
  ]
  return `${lines.join('\n')}\n`
}

const words: Readonly<Record<Verdict, string>> = { holds: 'ok', fails: 'FAILS', unsettled: 'unsettled' }

function mark(verdict: Verdict, style: NonNullable<PageOptions['style']>): string {
  return verdict === 'holds' ? style.ok(words[verdict]) : style.warn(words[verdict])
}

/** The law with its worst figure; where it does not hold, the ways that break it. */
function lawLines({ law, states, verdict, ways }: LawResult, marked: (verdict: Verdict) => string): string[] {
  const all = ways.filter(({ by }) => by === 'listing').length
  const by = [...(all > 0 ? [`${all} listed`] : []), ...(all < ways.length ? [`${ways.length - all} by seeds`] : [])]
  const lines = [`  ${law.padEnd(11)}  ${marked(verdict)}  ${states} (${by.join(', ')})`]
  for (const way of ways) {
    if (way.verdict === 'holds') continue
    const size = way.worst > 1e9 ? 'more than chance allows' : `${Number(way.worst.toPrecision(3))}`
    // E[1 / Z-hat] Z is about 1, and what is resampled has probabilities.
    const listed = law === 'conditional' ? '' : 'of Z'
    const unit = way.by === 'listing' ? listed : 'standard errors'
    const figure =
      way.verdict === 'fails' ? `off by ${size} ${way.worst > 1e9 ? '' : unit}`.trim() : 'a few seeds carry all the weight'
    lines.push(`  ${''.padEnd(11)}    ${way.name}: ${way.of}: ${figure}`)
  }
  return lines
}

function sentence({ verdict, laws, reference, models }: SelfTestResult): string {
  const broken = laws.filter((law) => law.verdict === 'fails').map(({ law }) => law)
  if (verdict === 'holds') return 'every law holds: the sampler draws from what this program says.'
  if (verdict === 'fails')
    return `broken: ${broken.join(', ')}. A proposal of \`via\` that cannot draw all that its target can, or an extern function that does not always answer alike, does this; if there is none, please report it with the program.`
  if (reference.Z > 0)
    return 'nothing failed, but not every law could be settled: where a few seeds carry all the weight, fewer data or a weaker factor (-D), or another --seed, may do.'
  const [name] = Object.keys(models)
  return name === undefined
    ? 'nothing was compared: other params with -D may give some run a weight.'
    : `nothing was compared: give it words that can meet what the program requires, --model ${name}=table:FILE.json, or ask for less with -D.`
}
