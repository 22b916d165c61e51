import type { Entries } from './entry.js'

/** Codes R001 and on. */
export const runEntries: Entries = {}
