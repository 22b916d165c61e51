import type { Graph } from '../../graph/ir.js'
import { Budget } from '../../models/budget.js'
import type { Classifier } from '../../models/classifiers/classifier.js'
import type { LanguageModel } from '../../models/model.js'
import { execute } from '../executor.js'
import { Externs } from '../externs.js'
import { createHost } from '../host/host.js'
import { link } from '../link.js'
import { philoxRandomness } from '../philox.js'
import { fillParams, openClassifiers, openModels } from '../run.js'
import { conditionsOf } from './file.js'
import { type Sample, type Trained, Trainer, type TrainOptions } from './trainer.js'
import { LearnedTwist } from './twist.js'

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
  open: (id: string, budget: Budget) => Promise<LanguageModel>,
  openClassifier: (id: string) => Promise<Classifier>,
): Promise<Trained> {
  const { settings, run } = options
  const opened: (LanguageModel | Classifier)[] = []
  const budget = new Budget(1e9 * settings.maxMemory)
  try {
    const models = await openModels(graph, run, (id) => open(id, budget), opened)
    const classifiers = await openClassifiers(graph, openClassifier, opened)
    const twists = graph.learned.map((decl) => new LearnedTwist(decl.name.text, conditionsOf(decl), null))
    const programs = await Promise.all(
      [graph, plain].map(async (each) => {
        const host = createHost([...each.sites], models, classifiers, twists)
        const externs = await Externs.load(each, host, run.allowExtern === true)
        const program = link(each, host)
        fillParams(each, params, host, program.defaults)
        for (const { value, span } of program.patterns) host.prepare(value([]), models, host.siteOf(span))
        return { host, externs, program }
      }),
    )
    let repeat = 0
    const sample: Sample = async (how) => {
      const { host, externs, program } = programs[how === 'model' ? 1 : 0]!
      const own = how === 'target' ? ({ method: 'smc' } as const) : ({ method: 'importance', twist: how !== 'model' } as const)
      const random = philoxRandomness(settings.seed, repeat++)
      const asked = {
        settings: { ...settings, twist: true, ...own },
        random,
        host,
        externs,
        budget,
        signal: run.signal,
        records: true,
      }
      return (await execute(program, asked)).particles
    }
    return await new Trainer(graph, twists, options, sample).train()
  } finally {
    await Promise.all(opened.map((each) => each.dispose()))
  }
}
