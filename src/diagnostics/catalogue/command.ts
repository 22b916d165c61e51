import type { Entries } from './entry.js'

/** Codes X001 and on. */
export const commandEntries: Entries = {}
