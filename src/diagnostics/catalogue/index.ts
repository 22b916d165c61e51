import { checkEntries } from './check.js'
import { commandEntries } from './command.js'
import type { Entries } from './entry.js'
import { graphEntries } from './graph.js'
import { matchingEntries } from './matching.js'
import { modelsEntries } from './models.js'
import { runEntries } from './run.js'
import { syntaxEntries } from './syntax.js'

export type { Entry } from './entry.js'

/** Every diagnostic that smcc can report, by code: S syntax, C names and types, G the inference graph, M models and files, P patterns, R runs, X the command line. */
export const catalogue: Entries = {
  ...syntaxEntries,
  ...checkEntries,
  ...graphEntries,
  ...modelsEntries,
  ...matchingEntries,
  ...runEntries,
  ...commandEntries,
}
