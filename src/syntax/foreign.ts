/** Words of other languages that people begin a statement or a value with, and what to write in smc. */
export const foreignWords: ReadonlyMap<string, string> = new Map([
  ['var', 'write `let x = ...`'],
  ['const', 'write `let x = ...`'],
  ['val', 'write `let x = ...`'],
  ['int', 'write `let x: Int = ...`'],
  ['float', 'write `let x: Float = ...`'],
  ['real', 'write `let x: Float = ...`'],
  ['function', 'write `fn name(a: Type) { ... }`, or `x => e` for a function of one expression'],
  ['def', 'write `fn name(a: Type) { ... }`'],
  ['func', 'write `fn name(a: Type) { ... }`'],
  ['lambda', 'write `x => e`'],
  ['elif', 'write `else if`'],
  ['elsif', 'write `else if`'],
  ['import', 'write `use name from "std/text"`'],
  ['export', 'every function of a file can be named in `use`'],
  ['class', 'records hold several values: `{ a: 1, b: 2 }`'],
  ['switch', 'write `if ... else if ... else ...`'],
  ['print', 'return the values to be seen: `return { a: a }`'],
  ['assert', 'write `require condition`'],
  ['score', 'write `factor e`'],
  ['condition', 'write `require condition`'],
  ['target', 'write `factor e`: weights are linear here'],
  ['pass', 'an empty block is `{}`'],
  ['do', 'write `while condition { ... }` or `repeat n { ... }`'],
  ['loop', 'write `while condition { ... }` or `repeat n { ... }`'],
])

/** Names of values in other languages. They cannot be read as variables, so that `null` is told as what it is. */
export const foreignValues: ReadonlyMap<string, string> = new Map([
  ['null', 'a variable always has a value: use "" or -1 or a Bool beside it, or an empty list'],
  ['undefined', 'a variable always has a value'],
  ['nil', 'a variable always has a value'],
  ['None', 'a variable always has a value: use "" or -1 or a Bool beside it, or an empty list'],
  ['True', 'write `true`'],
  ['False', 'write `false`'],
])
