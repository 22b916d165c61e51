import type { Entries } from './entry.js'

/** Codes S001 and on. */
export const syntaxEntries: Entries = {}
