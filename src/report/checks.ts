import type { RunResult, Sweep } from '../infer/result.js'
import { ancestry } from './ancestry.js'
import { showFixed } from './value.js'

/** One thing that a run says about its own quality: its number, whether that is well, and what to try when it is not. */
export interface Check {
  readonly name: 'log Z' | 'ESS' | 'ancestry' | 'sweeps' | 'dead' | 'partial'
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
  const descent = result.sweeps && result.sweeps.length > 0 ? sweeps(result.sweeps) : sharedAncestor(result)
  const list = [normaliser(result), effectiveSampleSize(result), descent, dead(result)]
  return result.partial ? [...list, partial(result)] : list
}

function normaliser(result: RunResult): Check {
  if (result.logZ === null)
    return { name: 'log Z', figure: 'none', verdict: 'warn', advice: 'every particle is dead, so Z is estimated as 0' }
  return { name: 'log Z', figure: showFixed(result.logZ, 2), verdict: 'none', advice: '' }
}

function effectiveSampleSize(result: RunResult): Check {
  const { particles } = result.settings
  const figure = `${showFixed(result.ess, result.ess < 9.95 && !Number.isInteger(result.ess) ? 1 : 0)} of ${sampleCount(result)}`
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

/** A path that is kept through most sweeps is one sample, however many of them there are. */
function sweeps(list: readonly Sweep[]): Check {
  const count = (times: number) => `${times} of ${list.length}`
  const renewed = list.filter((sweep) => sweep.renewed > 0).length
  const whole = list.filter((sweep) => sweep.renewed === 1).length
  const figure = `${list.length}`
  const told = `path renewed in ${count(renewed)}, from its start in ${count(whole)}`
  if (2 * renewed >= list.length) return { name: 'sweeps', figure, verdict: 'ok', advice: told }
  return { name: 'sweeps', figure, verdict: 'warn', advice: `${told}: more sweeps, more particles, or a twist` }
}

/** Samples of the answer, dead ones with them: under `steer` the asked ones, under `gibbs` those of all sweeps. */
function sampleCount({ settings, sweeps, samples }: RunResult): number {
  return sweeps && sweeps.length > 0 ? samples.length : settings.particles
}

function dead(result: RunResult): Check {
  const particles = sampleCount(result)
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
  if (result.sweeps && result.sweeps.length > 0) {
    const advice = `ended early, after ${result.sweeps.length} of ${result.settings.sweeps} sweeps: run again for the whole answer`
    return { name: 'partial', figure: '', verdict: 'warn', advice }
  }
  const last = result.steps.at(-1)
  const when = last === undefined ? 'before the first resampling point' : `after step ${last.step}`
  const advice = `ended early, ${when}, ${finished} of ${result.settings.particles} particles had finished: run again for the whole answer`
  return { name: 'partial', figure: '', verdict: 'warn', advice }
}
