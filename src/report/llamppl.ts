import type { RunResult, StepTold } from '../infer/result.js'

/** An entry of the record that LLaMPPL's viewer of runs reads (`smc.html?path=...`); numbers are texts there. */
interface Entry {
  readonly step: number
  readonly mode: 'init' | 'smc_step' | 'resample'
  readonly ancestors?: readonly number[]
  readonly particles: readonly { readonly contents: string; readonly logweight: string; readonly weight_incr: string }[]
}

/**
 * A run as LLaMPPL writes it: the population as it came to each point, by slot, and at the end with what it returned. Where it had been
 * resampled before, `ancestors` tells from which slot of the entry before each one comes, and increments are against that one's weight.
 */
export function llampplText(steps: readonly StepTold[], { samples }: Pick<RunResult, 'samples'>): string {
  const end = samples.map(({ value, logWeight }) => ({
    text: typeof value === 'string' ? value : JSON.stringify(value),
    logWeight,
  }))
  let ancestors: readonly number[] | null = null
  let before: readonly number[] = []
  const entries = [...steps.map(({ population }) => population), end].map((population, i): Entry => {
    const weights = population.map(({ logWeight }) => logWeight ?? Number.NEGATIVE_INFINITY)
    const from: readonly number[] | null = ancestors
    const particles = population.map(({ text }, slot) => ({
      contents: `<<<>>>${text}`,
      logweight: shown(weights[slot]!),
      weight_incr: shown(weights[slot]! - (before[from?.[slot] ?? slot] ?? 0)),
    }))
    before = weights
    ancestors = steps[i]?.ancestors ?? null
    return { step: i + 1, mode: i === 0 ? 'init' : from ? 'resample' : 'smc_step', ...(from && { ancestors: from }), particles }
  })
  return JSON.stringify(entries)
}

/** As Python prints it, NaN where a dead one stays dead. */
function shown(x: number): string {
  if (Number.isNaN(x)) return 'nan'
  return Number.isFinite(x) ? String(x) : x > 0 ? 'Infinity' : '-Infinity'
}
