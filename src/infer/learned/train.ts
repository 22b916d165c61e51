import type { Graph } from '../../graph/ir.js'
import { executeIslands } from '../executor.js'
import { type Openers, prepare, withModels } from '../open.js'
import { philoxRandomness } from '../philox.js'
import { type Sample, type Trained, Trainer, type TrainOptions } from './trainer.js'

/**
 * Fits the learned twists of a program to its own target (inference.md §3): rounds of sampling under the present twists, weighing by the true target,
 * and fitting. Weights are those of the sampler, so that what is learned from is the program's own posterior whatever the twists are.
 * @param graph the program, and `plain` the same without fused draws: samples of the model itself
 * @throws SmcError R033 where no sample of any round had a weight above 0
 */
export async function train(
  graph: Graph,
  plain: Graph,
  params: Readonly<Record<string, unknown>>,
  options: TrainOptions,
  openers: Openers,
): Promise<Trained> {
  const { settings, run } = options
  return withModels(graph, run, settings.maxMemory, openers, async (open) => {
    const { budget, twists } = open
    const allowed = run.allowExtern === true
    const programs = [await prepare(graph, open, params, allowed), await prepare(plain, open, params, allowed)]
    let repeat = 0
    const sample: Sample = async (how) => {
      const { host, externs, program } = programs[how === 'model' ? 1 : 0]!
      const own = how === 'target' ? ({ method: 'smc' } as const) : ({ method: 'importance', twist: how !== 'model' } as const)
      const random = philoxRandomness(settings.seed, repeat++)
      const asked = { settings: { ...settings, twist: true, ...own }, host, externs, budget, signal: run.signal, records: true }
      const { islands } = await executeIslands(program, asked, [{ random, forced: null }])
      return islands[0]!.particles
    }
    return new Trainer(graph, twists, options, sample).train()
  })
}
