import type { Type } from './types.js'

/** One parameter of anything that is called. Without a name it is only taken by position. */
export interface Parameter {
  readonly name: string
  readonly type: Type
  /** May be left out. */
  readonly optional?: boolean
  /** Takes this argument and all positional ones that follow. */
  readonly rest?: boolean
  /** Takes a regular expression too (`or`), or nothing else (`only`). */
  readonly pattern?: 'or' | 'only'
  /** For parameters whose types the notation cannot say. */
  readonly accepts?: (type: Type) => boolean
  /** "a record of weights": what messages say instead of the type. */
  readonly wants?: string
  /** Told the type of every argument: how parameters without annotation learn theirs. */
  readonly grow?: (type: Type) => void
}

/** How one form of a function is called. `result` gets the types of the arguments by position of their parameters. */
export interface Signature {
  readonly parameters: readonly Parameter[]
  readonly result: (args: readonly Type[]) => Type
}
