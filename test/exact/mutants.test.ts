import { afterEach, expect, test, vi } from 'vitest'
import type { Conditional, resampleConditionally } from '../../src/infer/conditional-resample.js'
import { enumerate } from '../../src/infer/enumerate.js'
import type { Particle } from '../../src/infer/particle.js'
import type { Asked, Candidate } from '../../src/infer/rejection.js'
import { resample } from '../../src/infer/resample.js'
import type { Settings } from '../../src/infer/result.js'
import { ess } from '../../src/infer/weights.js'
import type { Randomness } from '../../src/models/randomness.js'
import { add, expected, expectedUpper, type Sampler, sampler, table, traces } from './measure.js'
import { steep } from './programs.js'

/*
 * Every biased variant of conditional SMC that inference.md §2 names, put in the place of the rule, shows in the figures that the other tests
 * hold to 1e-9: Z E[1 / Z-hat], which is 1, and the distance of the law of the next path of particle Gibbs from the target, which is 0.
 */

interface Mutant {
  readonly resample?: (real: typeof resampleConditionally, ...args: Parameters<typeof resampleConditionally>) => Conditional
  /** The ESS that decides, of the weights and the retained slot. */
  readonly size?: (logw: Float64Array, kept: number) => number
  /** Whether a forced token weighs what an ordinary search weighs. */
  readonly ordinaryWeight?: boolean
}
const present: { mutant: Mutant } = vi.hoisted(() => ({ mutant: {} }))
afterEach(() => {
  present.mutant = {}
})

vi.mock('../../src/infer/conditional-resample.js', async (original) => {
  const real = await original<typeof import('../../src/infer/conditional-resample.js')>()
  const resampleConditionally: typeof real.resampleConditionally = (...args) =>
    present.mutant.resample ? present.mutant.resample(real.resampleConditionally, ...args) : real.resampleConditionally(...args)
  return { ...real, resampleConditionally }
})

vi.mock('../../src/infer/smc.js', async (original) => {
  const { Smc } = await original<typeof import('../../src/infer/smc.js')>()
  return {
    Smc: class extends Smc {
      constructor(
        private readonly own: Settings,
        private readonly chance: ConstructorParameters<typeof Smc>[1],
      ) {
        super(own, chance)
      }
      override meet(particles: Particle[], generation: number) {
        const kept = particles.findIndex((p) => p.forced)
        const { size } = present.mutant
        if (!size || kept < 0) return super.meet(particles, generation)
        const logw = Float64Array.from(particles, (p) => p.logw)
        const threshold = size(logw, kept) < this.own.threshold * particles.length ? 1 : 0
        return new Smc({ ...this.own, threshold }, this.chance).meet(particles, generation)
      }
    },
  }
})

vi.mock('../../src/infer/forced-rejection.js', async (original) => {
  const { ForcedSearch } = await original<typeof import('../../src/infer/forced-rejection.js')>()
  return {
    ForcedSearch: new Proxy(ForcedSearch, {
      construct: (target, args: ConstructorParameters<typeof OrdinarySearch>) =>
        present.mutant.ordinaryWeight ? new OrdinarySearch(...args) : new target(...args),
    }),
  }
})

/** The search that ends where chance will, with its weight; the forced token is written in the place of what it has found. */
class OrdinarySearch {
  private readonly tried: Candidate[] = []
  private empty = false

  constructor(
    private readonly ask: Asked,
    private readonly forced: number,
    private readonly random: Randomness,
  ) {}

  get where() {
    return this.ask.where
  }

  more(): Candidate[] {
    const at = this.tried.findIndex(({ meets }) => meets)
    if (this.empty || (at >= 0 && at + 1 < this.tried.length)) return []
    const logLeft = this.ask.urn.logMass
    const { token, logMass } = this.ask.urn.take(this.random, this.ask.key)
    this.empty = logMass === Number.NEGATIVE_INFINITY
    if (this.empty) return []
    this.tried.push({ token, logMass, logLeft, trial: this.ask.trial(token), meets: false })
    return this.tried.slice(-1)
  }

  get result() {
    const at = this.tried.findIndex(({ meets }) => meets)
    const [found, next] = [this.tried[at]!, this.tried[at + 1]]
    const logWeight = !next || next.meets ? found.logLeft : found.logMass
    const { forced: token } = this
    return { token, logMass: found.logMass, logWeight, trial: this.ask.trial(token), evaluations: 0 }
  }
}

/** Three meetings of which only the first tells particles apart, so that four of them have few paths. */
const long = `
sample x ~ categorical([0.5, 0.3, 0.2])
factor [0.3, 1, 2][x]
sample y ~ categorical([1])
factor [1.5, 0.4, 0.9][x]
sample z ~ categorical([1])
factor [0.2, 1, 3][x]
return x
`

/** Ordinary resampling; the retained particle is then written over slot 0. */
const overwritten: Mutant['resample'] = (_real, scheme, weights, retained, random, generation) => {
  const ancestors = resample(scheme, weights, random, generation)
  ancestors[0] = retained
  return { ancestors, retained: 0 }
}

/** The right law, after which the retained particle changes places with slot 0. */
const moved: Mutant['resample'] = (real, ...args) => {
  const { ancestors, retained } = real(...args)
  ;[ancestors[0], ancestors[retained]] = [ancestors[retained]!, ancestors[0]!]
  return { ancestors, retained: 0 }
}

const withoutRetained: Mutant['size'] = (logw, kept) => ess(logw.filter((_, i) => i !== kept))

async function inverse(program: Sampler, settings: Partial<Settings>, mutant: Mutant): Promise<number> {
  present.mutant = mutant
  const { Z, inverse } = await expectedUpper(program, settings)
  return Z * inverse
}

/** The largest difference of sum_x sigma(x) K(x, x') from sigma(x'). */
async function drift(program: Sampler, settings: Partial<Settings>, mutant: Mutant): Promise<number> {
  const samples = await traces(program)
  const Z = samples.reduce((sum, { mass }) => sum + mass, 0)
  present.mutant = mutant
  const change = new Map<string, number>()
  for (const { choices, mass } of samples) {
    add(change, JSON.stringify(choices), -mass / Z)
    for await (const { probability, result } of enumerate((random) => program.sweep(choices, random, settings)))
      add(change, JSON.stringify(result.path), (mass / Z) * probability)
  }
  return Math.max(...[...change.values()].map(Math.abs))
}

test.each([
  // Under multinomial resampling slots are alike, and writing over slot 0 is right.
  ['an ordinary resampling with slot 0 overwritten', 'systematic', 3, 1, steep, { resample: overwritten }],
  ['an ordinary resampling with slot 0 overwritten', 'stratified', 3, 1, steep, { resample: overwritten }],
  ['an ordinary resampling with slot 0 overwritten', 'residual', 3, 1, steep, { resample: overwritten }],
  // Where it stands shows at the second resampling, and from four on: three slots are alike under any change of places.
  ['the retained particle moved to slot 0', 'systematic', 4, 1, long, { resample: moved }],
  ['an ESS without the retained particle', 'systematic', 3, 0.6, steep, { size: withoutRetained }],
  ['an ESS without the retained particle', 'multinomial', 3, 0.6, steep, { size: withoutRetained }],
] as const)('%s under %s is caught', async (_name, scheme, particles, threshold, source, mutant) => {
  const settings = { particles, threshold, resample: scheme } as const
  const program = await sampler(source)
  expect(Math.abs((await inverse(program, settings, mutant)) - 1)).toBeGreaterThan(1e-4)
  expect(await drift(program, settings, mutant)).toBeGreaterThan(1e-4)
  expect(await inverse(program, settings, {})).toBeCloseTo(1, 9)
  expect(await drift(program, settings, {})).toBeLessThan(1e-9)
})

/** Requirements that ask a model are met by rejection. */
test('an ordinary weight for a token that is forced on a rejection is caught: its upper bound lies below log Z', async () => {
  const lm = table({
    tokens: ['x', 'y', 'z'],
    next: { '': [0.5, 0.3, 0.2], x: [0.2, 0.5, 0.3], y: [0.6, 0.1, 0.3], z: [0.3, 0.3, 0.4] },
  })
  const program = await sampler(
    'model lm = "lm"\nlet o = lm("")\nlet s = lm("")\nsample a ~ s for 1 token where o.prob("x") > 0 and a != "z"\nreturn a',
    { lm },
  )
  const samples = [
    { choices: [{ token: 0 }], mass: 0.5 },
    { choices: [{ token: 1 }], mass: 0.3 },
  ]
  const right = await expectedUpper(program, { particles: 1 }, samples)
  present.mutant = { ordinaryWeight: true }
  const wrong = await expectedUpper(program, { particles: 1 }, samples)
  expect(right.log).toBeGreaterThan(Math.log(0.8))
  expect(wrong.log).toBeLessThan(Math.log(0.8))
  expect(Math.abs(wrong.inverse * wrong.Z - 1)).toBeGreaterThan(1e-3)
})

test('latents that were drawn with other data, forced against the data of the program, give an upper "bound" below log Z', async () => {
  const source = 'sample x ~ bernoulli(0.5)\nobserve true ~ bernoulli(if x { 0.9 } else { 0.2 })\nreturn x'
  const program = await sampler(source)
  // What `simulate` draws: x from its prior, whatever is observed.
  const drawn = [true, false].map((value) => ({ choices: [{ value }], mass: 0.5 }))
  const found = await expectedUpper(program, { particles: 2, threshold: 0 }, drawn)
  const logZ = Math.log(0.55)
  expect(found.log).toBeLessThan(logZ)
  expect((await expectedUpper(program, { particles: 2, threshold: 0 })).log).toBeGreaterThan(logZ)
})

test('repeats in which all particles died, left out, give a lower "bound" above log Z', async () => {
  const source = 'sample x ~ categorical([0.5, 0.5])\nsample y ~ categorical([0.5, 0.5])\nrequire x + y == 2\nreturn x'
  const program = await sampler(source, {}, { fuse: false })
  let [sum, alive] = [0, 0]
  for await (const { probability, result } of enumerate((random) => program.run(random, { particles: 2 }))) {
    if (result.estimate === 0) continue
    sum += probability * Math.log(result.estimate)
    alive += probability
  }
  expect(sum / alive).toBeGreaterThan(Math.log(0.25))
  expect((await expected(program, { particles: 2 })).log).toBe(Number.NEGATIVE_INFINITY)
})
