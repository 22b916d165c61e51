import type { RunResult } from '../infer/result.js'
import { ancestry } from './ancestry.js'
import { showFixed } from './value.js'

/** One thing that a run says about its own quality: its number, whether that is well, and what to try when it is not. */
export interface Check {
  readonly name: 'log Z' | 'ESS' | 'ancestry' | 'dead' | 'partial'
  /** Empty where the advice holds the number. */
  readonly figure: string
  readonly verdict: 'ok' | 'warn' | 'none'
  /** What it means and what to try next; empty when all is well. */
  readonly advice: string
}

/** Below this share of the particles an effective sample size is called low: a tenth, as for importance weights in practice. */
export const lowEss = 0.1
/** From this share of dead particles on, the program throws most of the work away. */
export const manyDead = 0.5

/** The checks in the order in which they are printed; only an interrupted run has the last. */
export function checks(result: RunResult): Check[] {
  const list = [normaliser(result), effectiveSampleSize(result), sharedAncestor(result), dead(result)]
  return result.partial ? [...list, partial(result)] : list
}

function normaliser(result: RunResult): Check {
  if (result.logZ === null)
    return { name: 'log Z', figure: 'none', verdict: 'warn', advice: 'every particle is dead, so Z is estimated as 0' }
  return { name: 'log Z', figure: showFixed(result.logZ, 2), verdict: 'none', advice: '' }
}

function effectiveSampleSize(result: RunResult): Check {
  const { particles } = result.settings
  const figure = `${showFixed(result.ess, result.ess < 9.95 && !Number.isInteger(result.ess) ? 1 : 0)} of ${particles}`
  if (particles === 1)
    return { name: 'ESS', figure, verdict: 'warn', advice: 'one particle cannot say how sure the answer is: more particles' }
  if (result.ess >= lowEss * particles) return { name: 'ESS', figure, verdict: 'ok', advice: '' }
  const advice = 'few particles carry the weight, so the probabilities are rough: more particles, or a twist'
  return { name: 'ESS', figure, verdict: 'warn', advice }
}

function sharedAncestor(result: RunResult): Check {
  const { particles, roots, shared } = ancestry(result)
  if (shared !== null) {
    const advice = `all final particles share one ancestor at step ${shared}: more particles, or a twist`
    return { name: 'ancestry', figure: '', verdict: 'warn', advice }
  }
  if (particles <= 1) return { name: 'ancestry', figure: `${particles} alive`, verdict: 'none', advice: '' }
  return { name: 'ancestry', figure: `${roots} of ${result.settings.particles}`, verdict: 'ok', advice: '' }
}

function dead(result: RunResult): Check {
  const { particles } = result.settings
  const count = particles - result.alive
  if (count < manyDead * particles || count === 0) return { name: 'dead', figure: `${count}`, verdict: 'ok', advice: '' }
  const advice =
    count === particles
      ? 'no particle meets every condition: more particles, or graded factors in place of requires'
      : 'conditions kill most particles: check them earlier, or use graded factors in place of requires'
  return { name: 'dead', figure: `${count}`, verdict: 'warn', advice }
}

function partial(result: RunResult): Check {
  const finished = result.samples.filter((sample) => sample.value !== null).length
  const last = result.steps.at(-1)
  const when = last === undefined ? 'before the first resampling point' : `after step ${last.step}`
  const advice = `ended early, ${when}, ${finished} of ${result.settings.particles} particles had finished: run again for the whole answer`
  return { name: 'partial', figure: '', verdict: 'warn', advice }
}
