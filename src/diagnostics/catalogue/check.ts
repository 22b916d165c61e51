import type { Entries } from './entry.js'

/** Codes C001 and on. */
export const checkEntries: Entries = {}
