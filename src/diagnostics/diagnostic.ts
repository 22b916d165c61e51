import type { Span } from './span.js'

export type Severity = 'error' | 'warning' | 'note'

/** Which exit code an error ends the command with (cli.md): 1 the program, 2 the command line, 3 inference, 4 internal. */
export type Blame = 'program' | 'command' | 'inference' | 'internal'

/** One finding about a program or a run. Data only: renderers turn it into text or JSON. */
export interface Diagnostic {
  /** A key of the catalogue, shown to users and taken by `smcc explain`. */
  readonly code: string
  readonly severity: Severity
  /** Lower case, present tense, one fact: "expected a String, found an Int". */
  readonly message: string
  readonly span?: Span
  /** Further places or facts that belong to it. */
  readonly notes: readonly Note[]
  /** The edit to make. */
  readonly hint?: string
}

export interface Note {
  readonly message: string
  readonly span?: Span
}

export interface DiagnosticOptions {
  readonly severity?: Severity
  readonly notes?: readonly Note[]
  readonly hint?: string
}

export function diagnostic(code: string, span: Span | undefined, message: string, options: DiagnosticOptions = {}): Diagnostic {
  return {
    code,
    severity: options.severity ?? 'error',
    message,
    ...(span && { span }),
    notes: options.notes ?? [],
    ...(options.hint !== undefined && { hint: options.hint }),
  }
}

/** The only error that smcc throws on purpose. */
export class SmcError extends Error {
  override readonly name = 'SmcError'
  readonly diagnostics: readonly Diagnostic[]
  readonly blame: Blame

  constructor(diagnostics: Diagnostic | readonly Diagnostic[], blame: Blame = 'program') {
    const list = Array.isArray(diagnostics) ? (diagnostics as readonly Diagnostic[]) : [diagnostics as Diagnostic]
    super(list.map((d) => `${d.code}: ${d.message}`).join('\n'))
    this.diagnostics = list
    this.blame = blame
  }
}
