/**
 * What `smcc explain CODE` says about one kind of diagnostic. The bad program must report exactly this code and no other;
 * the mended one must report nothing: tests run both.
 */
export interface Entry {
  /** A few words: "a bracket is never closed". */
  readonly title: string
  /** Why it is an error, and what to do, in a short paragraph. */
  readonly explanation: string
  /** A program (or, for `command`, a command line) that shows it. */
  readonly bad: string
  readonly mended: string
  /** Files that both need beside the program, by relative path. */
  readonly files?: Readonly<Record<string, string>>
  /**
   * How far a program must go to meet it. `api`: `bad` and `mended` are calls of the TypeScript API on `program`, which is
   * `files['program.smc']`.
   */
  readonly stage: 'syntax' | 'check' | 'load' | 'run' | 'command' | 'api'
}

/** Codes of one room, for example S001. */
export type Entries = Readonly<Record<string, Entry>>
