import { callsEntries } from './check/calls.js'
import { clausesEntries } from './check/clauses.js'
import { effectsEntries } from './check/effects.js'
import { namesEntries } from './check/names.js'
import { patternsEntries } from './check/patterns.js'
import { settingsEntries } from './check/settings.js'
import { statementsEntries } from './check/statements.js'
import { typesEntries } from './check/types.js'
import type { Entries } from './entry.js'

/** Codes C001 and on, by kind; C100 and on are forms that come later. */
export const checkEntries: Entries = {
  ...namesEntries,
  ...typesEntries,
  ...callsEntries,
  ...statementsEntries,
  ...clausesEntries,
  ...effectsEntries,
  ...patternsEntries,
  ...settingsEntries,
}
