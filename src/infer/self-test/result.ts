import type { RunOptions } from '../run.js'

/** `unsettled`: nothing could be said. */
export type Verdict = 'holds' | 'fails' | 'unsettled'

export interface LawResult {
  readonly law: string
  readonly states: string
  readonly verdict: Verdict
  readonly ways: readonly (Comparison & { readonly name: string })[]
}

export interface SelfTestFound {
  readonly seed: number
  readonly verdict: Verdict
  /** Names of the models to what stands for them: small tables over these tokens, or `by`, what was given. */
  readonly models: Readonly<
    Record<string, { readonly replaced: string; readonly by: string | null; readonly tokens: readonly string[] }>
  >
  /** Most tokens of a span; null where the program has none. */
  readonly longest: number | null
  /** Elements that lists of params were cut to, where more of them could not be settled; null where they are whole. */
  readonly lists: number | null
  /** Where the target comes from. `error`: the standard error of Z, 0 where all runs were listed. */
  readonly reference: { readonly by: 'listing' | 'seeds'; readonly runs: number; readonly Z: number; readonly error: number }
  readonly laws: readonly LawResult[]
  /** What could not be tried, and why. */
  readonly notes: readonly string[]
  readonly timing: { readonly seconds: number }
}

/** How far one way of running the program is from what it must give (`compare.ts`). */
export interface Comparison {
  readonly by: 'listing' | 'seeds'
  readonly runs: number
  /** The largest deviation, and what deviates. */
  readonly worst: number
  readonly of: string
  readonly most: number
  readonly verdict: Verdict
}

export interface SelfTestOptions extends Pick<RunOptions, 'allowExtern' | 'seed' | 'signal'> {
  /** Ids of models in the place of the tables that are made up. */
  readonly models?: Readonly<Record<string, string>>
  /** Told which law is tried. */
  readonly onLaw?: (law: string) => void
}

/** What `smcc check --statistics --format json` prints. */
export interface SelfTestResult extends SelfTestFound {
  readonly schema: 1
  readonly smcc: string
  readonly program: string
  readonly programHash: string
}
