import type { Diagnostic } from '../diagnostics/diagnostic.js'
import { positionAt } from '../diagnostics/span.js'
import type { RunResult } from '../infer/result.js'
import { checks } from './checks.js'
import { describedByMoments, methodText } from './page.js'
import { ancestryPicture, essPicture } from './picture.js'
import { showNumber, showProbabilities, showValue } from './value.js'

/** Rows of the posterior and of the samples that are open at once; the rest of the samples is in the JSON. */
const most = { posterior: 100, samples: 500 }

/**
 * One page that holds everything: no script, no request to anywhere, light and dark.
 * All text of the run goes through `escapeHtml`, so values cannot become markup.
 */
export function htmlPage(result: RunResult): string {
  const models = [...new Set(Object.values(result.models).map((model) => model.id))]
  const { particles, method, seed } = result.settings
  const how = method === 'smc' ? [] : [methodText(result)]
  const facts = [...models, `${particles} particles`, ...how, `seed ${seed}`, `smcc ${result.smcc}`]
  const sections = [
    checkSection(result),
    describedByMoments(result) ? '' : posteriorSection(result),
    momentsSection(result),
    pictureSection(
      'Effective sample size',
      method === 'steer'
        ? 'A dot marks a step at which more candidates lived than could go on.'
        : `${method === 'gibbs' ? 'Of the first population. ' : ''}The dashed line is the threshold; a dot marks a step that resampled.`,
      essPicture(result),
    ),
    pictureSection(
      'Ancestry',
      'From left to right the steps of the run. Strong lines lead to the final particles; faint ones died out.',
      ancestryPicture(result),
    ),
    sampleSection(result),
    settingsSection(result),
    warningSection(result.warnings),
  ]
  return document(result.program, facts, result.partial, sections)
}

/** A page around its sections, empty ones left out. */
export function document(program: string, facts: readonly string[], partial: boolean, sections: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${escapeHtml(program)} · smcc</title>
<style>${style}</style>
</head>
<body>
<header><h1>${escapeHtml(program)}</h1><p>${facts.map(escapeHtml).join(' · ')}</p></header>
${partial ? '<p class="banner">This run was interrupted: the result is valid but partial.</p>' : ''}
${sections.filter((section) => section !== '').join('\n')}
</body>
</html>
`
}

/** Text that is safe between tags and inside double quotes; what cannot be seen is shown by name. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, (character) => entities[character]!)
}

function checkSection(result: RunResult): string {
  const rows = checks(result).map(({ name, figure, verdict, advice }) => {
    const mark = verdict === 'none' ? '' : `<span class="${verdict}">${verdict}</span>`
    return `<tr><th scope="row">${escapeHtml(name)}</th><td class="number">${escapeHtml(figure)}</td><td>${mark}</td><td>${escapeHtml(advice)}</td></tr>`
  })
  const { seconds, tokens, tokensPerSecond } = result.timing
  const speed = tokens > 0 ? `${tokens} tokens, ${tokensPerSecond.toFixed(0)} a second` : 'no tokens drawn'
  rows.push(`<tr><th scope="row">time</th><td class="number">${seconds.toFixed(1)} s</td><td></td><td>${speed}</td></tr>`)
  return section('Checks', `<table>${rows.join('')}</table>`)
}

function posteriorSection(result: RunResult): string {
  const shown = result.posterior.slice(0, most.posterior)
  if (shown.length === 0) return ''
  const top = shown[0]!.probability || 1
  const probabilities = showProbabilities(shown.map((entry) => entry.probability))
  const rows = shown.map(
    (entry, index) =>
      `<li><span class="bar" style="width:${((100 * entry.probability) / top).toFixed(2)}%"></span>` +
      `<b>${escapeHtml(probabilities[index]!)}</b> <small>×${entry.count}</small> <span class="value">${escapeHtml(showValue(entry.value))}</span></li>`,
  )
  const rest = result.posterior.length - shown.length
  return section('Posterior', `<ol class="posterior">${rows.join('')}</ol>${rest > 0 ? `<p>… and ${rest} more.</p>` : ''}`)
}

function momentsSection({ moments }: RunResult): string {
  const first = moments[0]
  if (first === undefined) return ''
  const head = ['', 'mean', 'sd', ...Object.keys(first.quantiles)].map((name) => `<th scope="col">${name}</th>`).join('')
  const rows = moments.map((m) => {
    const figures = [m.mean, m.sd, ...Object.values(m.quantiles)].map((n) => `<td class="number">${showNumber(n)}</td>`)
    return `<tr><th scope="row">${escapeHtml(m.path === '' ? 'value' : m.path)}</th>${figures.join('')}</tr>`
  })
  return section('Mean, deviation, quantiles', `<table class="figures"><tr>${head}</tr>${rows.join('')}</table>`)
}

function pictureSection(title: string, caption: string, picture: string): string {
  return picture === '' ? '' : section(title, `<figure>${picture}<figcaption>${caption}</figcaption></figure>`)
}

function sampleSection({ samples }: RunResult): string {
  const order = samples.map((sample, slot) => ({ ...sample, slot })).sort((a, b) => b.weight - a.weight || a.slot - b.slot)
  const rows = order.slice(0, most.samples).map(({ slot, weight, logWeight, value }) => {
    const figures = `<td class="number">${slot}</td><td class="number">${showNumber(weight)}</td>`
    const log = `<td class="number">${logWeight === null ? 'dead' : showNumber(logWeight)}</td>`
    const text = value === null ? '<i>no value</i>' : escapeHtml(showValue(value))
    return `<tr>${figures}${log}<td class="value">${text}</td></tr>`
  })
  const rest = order.length - rows.length
  const note = rest > 0 ? `<p>… and ${rest} lighter ones.</p>` : ''
  const head =
    '<tr><th scope="col">slot</th><th scope="col">weight</th><th scope="col">log weight</th><th scope="col">value</th></tr>'
  return section(
    'Samples',
    `<details><summary>${samples.length} weighted samples</summary><table>${head}${rows.join('')}</table>${note}</details>`,
  )
}

function settingsSection(result: RunResult): string {
  const pairs: [string, string][] = [
    ...Object.entries(result.settings).map(([name, value]): [string, string] => [name, String(value)]),
    ...Object.entries(result.models).map(([name, model]): [string, string] => [`model ${name}`, `${model.id} (${model.hash})`]),
    ['program hash', result.programHash],
  ]
  const rows = pairs.map(
    ([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td class="value">${escapeHtml(value)}</td></tr>`,
  )
  return section('Settings', `<table>${rows.join('')}</table>`)
}

function warningSection(warnings: readonly Diagnostic[]): string {
  if (warnings.length === 0) return ''
  const items = warnings.map(({ code, message, hint, span }) => {
    const at = span ? `${span.source.path}:${positionAt(span.source, span.start).line}: ` : ''
    return `<li>${escapeHtml(at)}<code>${escapeHtml(code)}</code> ${escapeHtml(message)}${hint === undefined ? '' : `<br><small>${escapeHtml(hint)}</small>`}</li>`
  })
  return section('Warnings', `<ul>${items.join('')}</ul>`)
}

function section(title: string, body: string): string {
  return `<section><h2>${title}</h2>${body}</section>`
}

const style = `
:root { color-scheme: light dark; --ink: light-dark(#1c1e21, #e6e6e3); --soft: light-dark(#6a6f76, #9a9d9f); --paper: light-dark(#fbfaf7, #17181a);
  --card: light-dark(#ffffff, #1f2124); --rule: light-dark(#e4e1da, #33363a); --accent: light-dark(#2f6f8f, #6fb3d2); --bar: light-dark(#dcebf2, #24404d);
  --ok: light-dark(#2d7a46, #7fc796); --warn: light-dark(#a65a00, #e8a850); }
body { margin: 0 auto; max-width: 50rem; padding: 2rem 1rem 4rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1rem; margin: 0 0 .6rem; color: var(--soft); font-weight: 600; }
header p { margin: .2rem 0 1.5rem; color: var(--soft); }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 1rem 1.2rem; margin: 0 0 1rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; font-weight: normal; }
th { color: var(--soft); white-space: nowrap; } td:last-child { width: 100%; }
.figures { width: auto; } .figures td:last-child { width: auto; } .figures th[scope="col"] { text-align: right; }
.number { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
.value { white-space: pre-wrap; overflow-wrap: anywhere; }
.ok { color: var(--ok); font-weight: 600; } .warn { color: var(--warn); font-weight: 600; }
.banner { border-left: 4px solid var(--warn); padding: .4rem .8rem; background: var(--card); }
.posterior { list-style: none; margin: 0; padding: 0; } .posterior li { position: relative; padding: .25rem .5rem; margin: 0 0 3px; }
.posterior .bar { position: absolute; inset: 0 auto 0 0; background: var(--bar); border-radius: 4px; } .posterior li > :not(.bar) { position: relative; }
small, figcaption { color: var(--soft); font-size: .85rem; } figure { margin: 0; } svg { width: 100%; height: auto; display: block; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); } .line { fill: none; stroke: var(--accent); stroke-width: 1.5; stroke-linejoin: round; }
.faint { fill: none; stroke: var(--rule); stroke-width: 1; } .limit { stroke: var(--soft); stroke-dasharray: 4 4; stroke-width: 1; } .accent { fill: var(--accent); }
summary { cursor: pointer; } code { font-size: .9em; }
`
