import { createHash } from 'node:crypto'
import { exactWays } from '../../check/settings.js'
import type { Graph } from '../../graph/ir.js'
import { type BackendName, backendOf } from '../../tensor/backend.js'
import { type ExactGrounds, ExactSource } from '../exact-source.js'
import { type Openers, prepare, withModels } from '../open.js'
import { originOf, requireOrigin } from '../traces-file.js'
import type { Identity } from './checkpoint.js'
import { Populations } from './populations.js'
import { type Trained, Trainer, type TrainOptions } from './trainer.js'

export interface TrainingPlan extends Omit<TrainOptions, 'identity' | 'backend'> {
  /** What says which ways to exact samples apply. */
  readonly grounds: ExactGrounds
  readonly programHash: string
  /** What trains the networks. */
  readonly backend: BackendName
}

/**
 * Fits the learned twists of a program to its own target (inference.md §3): rounds of sampling under the present twists, weighing by the true target,
 * and fitting. Weights are those of the sampler, so that what is learned from is the program's own posterior whatever the twists are.
 * @param graph the program, and `plain` the same without fused draws: samples of the model itself
 * @throws SmcError R033 where no sample of any round had a weight above 0, R034 without exact samples, R035 where an earlier training was of something else
 */
export async function train(
  graph: Graph,
  plain: Graph,
  params: Readonly<Record<string, unknown>>,
  plan: TrainingPlan,
  openers: Openers,
): Promise<Trained> {
  const { settings, run, training, resumed } = plan
  const { positives } = training[0]!
  return withModels(graph, run, settings.maxMemory, openers, async (open) => {
    const { budget, twists } = open
    const allowed = run.allowExtern === true
    const fused = await prepare(graph, open, params, allowed)
    const free = await prepare(plain, open, params, allowed)
    if (typeof positives === 'object' && 'origin' in positives)
      requireOrigin(positives, originOf(open.identities, plain, free.host))
    const identity: Identity = {
      program: plan.programHash,
      params: digest(params),
      models: digest(open.identities),
      seed: settings.seed,
      training: training.map(({ steps: _steps, iterate: _iterate, positives: _positives, ...others }) => others),
      positives: typeof positives === 'string' ? positives : digest(positives),
    }
    resumed?.requireSame(identity)
    const { signal } = run
    const way = resumed?.progress.exact
    const wanted = positives === 'exact' ? (way && way !== 'file' ? way : 'auto') : positives
    const direct = { program: free.program, options: { settings, budget, signal, ...free }, seed: settings.seed }
    // A twist that is given the observed text is to know what to do with any text.
    const order = graph.conditioned.size > 0 ? (['simulate', 'enumerate', 'reject'] as const) : exactWays
    const exact = wanted === 'smc' ? null : new ExactSource(wanted, direct, plan.grounds, order)
    const populations = new Populations(fused, free, { settings: { ...settings, twist: true }, budget, signal, exact })
    return new Trainer(graph, twists, { ...plan, identity, backend: await backendOf(plan.backend) }, populations).train()
  })
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
