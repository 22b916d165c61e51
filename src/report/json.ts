import { diagnosticToJson } from '../diagnostics/render.js'
import type { BoundResult } from '../infer/bound-result.js'
import type { Json, RunResult } from '../infer/result.js'
import type { SelfTestResult } from '../infer/self-test/result.js'

/** A result as the plain data of `--json` (cli.md), fields in the order of that page. A number that is not finite is an error. */
export function resultJson(result: RunResult): { readonly [name: string]: Json } {
  const json = {
    schema: result.schema,
    smcc: result.smcc,
    program: result.program,
    programHash: result.programHash,
    models: { ...result.models },
    settings: { ...result.settings },
    partial: result.partial,
    logZ: result.logZ,
    ess: result.ess,
    alive: result.alive,
    resamples: result.resamples,
    posterior: result.posterior.map(({ value, probability, count }) => ({ value, probability, count })),
    moments: result.moments.map(({ path, mean, sd, quantiles }) => ({ path, mean, sd, quantiles: { ...quantiles } })),
    samples: result.samples.map(({ value, weight, logWeight }) => ({ value, weight, logWeight })),
    steps: result.steps.map((step) => ({ ...step })),
    ...(result.sweeps && { sweeps: result.sweeps.map((sweep) => ({ ...sweep })) }),
    ...(result.learned && { learned: result.learned.map((note) => ({ ...note })) }),
    timing: { ...result.timing },
    warnings: result.warnings.map((warning) => diagnosticToJson(warning) as Json),
  }
  requireFinite(json, 'result')
  return json
}

/** Bounds as the plain data of `--json` (cli.md). */
export function boundJson(result: BoundResult): { readonly [name: string]: Json } {
  const json = {
    ...result,
    models: { ...result.models },
    settings: { ...result.settings },
    rows: result.rows.map((row) => ({ ...row })),
    logZ: { ...result.logZ },
    refused: result.refused.map((each) => ({ ...each })),
    timing: { ...result.timing },
    warnings: result.warnings.map((warning) => diagnosticToJson(warning) as Json),
  }
  requireFinite(json, 'result')
  return json
}

/** A self-test as the plain data of `--format json` (docs/cli.md). */
export function selfTestJson(result: SelfTestResult): { readonly [name: string]: Json } {
  const json = {
    ...result,
    models: Object.fromEntries(Object.entries(result.models).map(([name, model]) => [name, { ...model }])),
    reference: { ...result.reference },
    laws: result.laws.map((law) => ({ ...law, ways: law.ways.map((way) => ({ ...way })) })),
    timing: { ...result.timing },
  }
  requireFinite(json, 'result')
  return json
}

/** JSON text that people can read too: a line a field, and in lists of records a line a record. Ends with a line break. */
export function jsonText(value: { readonly [name: string]: Json }): string {
  const fields = Object.entries(value).map(([name, field]) => `  ${JSON.stringify(name)}: ${fieldText(field)}`)
  return `{\n${fields.join(',\n')}\n}\n`
}

function fieldText(field: Json): string {
  if (!Array.isArray(field) || field.length === 0) return JSON.stringify(field)
  return `[\n${field.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`
}

/** JSON has no NaN and no infinity, and `JSON.stringify` would write null for them in silence. */
function requireFinite(value: Json, path: string): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${path} is ${value}, which JSON cannot hold`)
  if (value === null || typeof value !== 'object') return
  for (const [name, field] of Object.entries(value)) requireFinite(field as Json, `${path}.${name}`)
}
