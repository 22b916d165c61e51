import { check } from './check/check.js'
import type { CheckedProgram } from './check/types.js'
import { type Diagnostic, SmcError } from './diagnostics/diagnostic.js'
import type { Source } from './diagnostics/span.js'
import { buildGraph } from './graph/build.js'
import { findMisaligned } from './graph/passes/alignment.js'
import { type PassOptions, runPasses, type Stage } from './graph/passes/index.js'
import { externPath, loadModules } from './load.js'

/** A program that is ready to run. */
export interface Compiled {
  readonly checked: CheckedProgram
  /** Warnings only: errors are thrown. */
  readonly diagnostics: readonly Diagnostic[]
  /** The inference graph after every pass, in order; the last one runs. */
  stages(options: PassOptions): readonly Stage[]
}

/**
 * The whole way of a program, stage by stage: text, syntax tree, names and types, inference graph, passes.
 * @throws SmcError with all errors of the first stage that finds any
 */
export function compileSource(source: Source): Compiled {
  const modules = loadModules(source)
  const checked = check(modules)
  if (checked.diagnostics.some((d) => d.severity === 'error')) throw new SmcError(checked.diagnostics)
  const built = buildGraph(checked, externPath)
  const stages = (options: PassOptions) => runPasses(built, options)
  const misaligned = findMisaligned(stages({ fuse: true }).at(-1)!.graph)
  return { checked, diagnostics: [...checked.diagnostics, ...misaligned], stages }
}
