import type { Entries } from './entry.js'

/** Codes M001 and on. */
export const modelsEntries: Entries = {}
