/** The words that grammar/smc.ohm gives a meaning; test/syntax/words.test.ts keeps both in step. */

/** Words that begin a statement and nothing else: at the start of a line they cannot continue the one before. */
export const statementWords: ReadonlySet<string> = new Set([
  'let',
  'sample',
  'observe',
  'force',
  'factor',
  'require',
  'twist',
  'untwist',
  'resample',
  'while',
  'repeat',
  'break',
  'continue',
  'return',
  'fn',
])

/** Words that begin a clause of `sample`. */
export const clauseWords: ReadonlySet<string> = new Set([
  'for',
  'within',
  'until',
  'matching',
  'where',
  'via',
  'twisted',
  'resampling',
])

/** Words that cannot be names of variables, functions and parameters (as fields and argument names they can). */
export const reservedWords: ReadonlySet<string> = new Set([
  ...statementWords,
  ...clauseWords,
  'if',
  'else',
  'in',
  'and',
  'or',
  'not',
  'true',
  'false',
])

/** Words that begin a declaration where a name follows. */
export const declarationWords: ReadonlySet<string> = new Set(['model', 'classifier', 'param', 'infer', 'learn', 'extern', 'use'])

/** Words with a meaning in the middle of a declaration or clause. */
export const innerWords: ReadonlySet<string> = new Set(['from', 'up', 'to', 'tokens', 'token', 'by', 'every', 'blocks', 'of'])
