import { type Diagnostic, diagnostic, type Severity } from '../diagnostics/diagnostic.js'
import type { Json, RunResult, RunSettings } from '../infer/result.js'
import { jsonText, resultJson } from './json.js'

/** Where an effective setting came from; `random` is a seed that nobody chose, `machine` the memory that was free. */
export type SettingOrigin = 'flag' | 'program' | 'default' | 'random' | 'machine'

/** What the folder of `--out` records beside the result itself. */
export interface Provenance {
  readonly origins: Readonly<Record<keyof RunSettings, SettingOrigin>>
  /** The parameters that the run was given on the command line or in a file. */
  readonly params: Readonly<Record<string, Json>>
  /** The version of Node.js, "v20.19.0". */
  readonly node: string
  /** Operating system and processor, "linux x64". */
  readonly platform: string
  /** SHA-256 of a text, hex; a parameter because hashing belongs to the platform. */
  readonly hash: (text: string) => string
  /** The run in the form of LLaMPPL, where it was asked for. */
  readonly record: string | null
}

/** The files that describe a run, besides `report.html`, each with its text; `manifest.json` is the last, as it holds the hashes of the others. */
export function folderFiles(result: RunResult, html: string, provenance: Provenance): ReadonlyMap<string, string> {
  const { samples, steps, settings, ...rest } = resultJson(result) as Record<string, Json> & {
    samples: readonly Json[]
    steps: readonly Json[]
    settings: RunSettings & Record<string, Json>
  }
  const files = new Map([
    ['particles.jsonl', jsonLines(samples)],
    ['steps.jsonl', jsonLines(steps)],
    ['report.html', html],
  ])
  const { origins, params, node, platform, hash, record } = provenance
  if (record !== null) files.set('steps.llamppl.json', record)
  const manifest = {
    ...rest,
    settings: Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name, { value, from: origins[name as keyof RunSettings] }]),
    ),
    params,
    versions: { smcc: result.smcc, node, platform },
    files: Object.fromEntries([...files].map(([name, text]) => [name, { sha256: hash(text) }])),
  }
  return files.set('manifest.json', jsonText(manifest))
}

/** Whether parsed JSON is the manifest of an earlier run, of a schema that this version knows. */
export function isManifest(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const manifest = value as Record<string, unknown>
  return (
    manifest.schema === 1 && typeof manifest.smcc === 'string' && typeof manifest.settings === 'object' && 'files' in manifest
  )
}

/** The result that a folder holds, from the texts of its files; throws a SyntaxError or TypeError when they are damaged. */
export function readFolder(texts: { readonly manifest: string; readonly particles: string; readonly steps: string }): RunResult {
  const manifest = JSON.parse(texts.manifest)
  const settings = Object.fromEntries(
    Object.entries(manifest.settings as Record<string, { value: unknown }>).map(([name, { value }]) => [name, value]),
  )
  const { versions: _versions, files: _files, params: _params, warnings, ...rest } = manifest
  return {
    ...rest,
    // Runs of earlier versions had no other device, and did not tell what computed them.
    settings: {
      ...settings,
      device: settings.device ?? 'cpu',
      backend: settings.backend ?? 'onnx',
      dtype: settings.dtype ?? 'fp32',
    },
    samples: readLines(texts.particles),
    steps: readLines(texts.steps),
    warnings: (warnings as StoredDiagnostic[]).map(storedDiagnostic),
  } as RunResult
}

/** As `diagnosticToJson` writes it. */
interface StoredDiagnostic {
  readonly code: string
  readonly severity: Severity
  readonly message: string
  readonly hint: string | null
  readonly span: { readonly path: string; readonly line: number } | null
}

/** The text of the program is not stored, so the place becomes part of the message. */
function storedDiagnostic({ code, severity, message, hint, span }: StoredDiagnostic): Diagnostic {
  return diagnostic(code, undefined, span === null ? message : `${span.path}:${span.line}: ${message}`, {
    severity,
    ...(hint !== null && { hint }),
  })
}

function jsonLines(items: readonly Json[]): string {
  return items.map((item) => `${JSON.stringify(item)}\n`).join('')
}

function readLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}
