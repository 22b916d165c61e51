import { createHash } from 'node:crypto'
import { exactWays } from '../../check/settings.js'
import type { Graph } from '../../graph/ir.js'
import { type BackendName, backendOf } from '../../tensor/backend.js'
import { type ExactGrounds, ExactSource } from '../exact-source.js'
import { type Openers, prepare, withModels } from '../open.js'
import { originOf, requireOrigin } from '../traces-file.js'
import type { Identity } from './checkpoint.js'
import { lessonsOf } from './lesson.js'
import { Populations } from './populations.js'
import { type Trained, Trainer, type TrainOptions } from './trainer.js'

export interface TrainingPlan extends Omit<TrainOptions, 'identity' | 'backend' | 'lead'> {
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
  return withModels(graph, run, settings.maxMemory, openers, async (open) => {
    const { budget, twists } = open
    const allowed = run.allowExtern === true
    const fused = await prepare(graph, open, params, allowed)
    const free = await prepare(plain, open, params, allowed)
    const { signal } = run
    const many = { ...settings, twist: true, particles: Math.max(...training.map(({ batch }) => batch)) }
    const look = await new Populations(fused, free, { settings: many, budget, signal, exact: null }).look()
    // A population that was cut off may not have come to a draw.
    if (signal?.aborted) return { twists: [], rounds: [], partial: true, best: 0, exact: null }
    const found = look.flatMap((p) => lessonsOf(p.lesson))
    const lessons = twists.map((twist) => found.find(({ guide }) => guide.twist === twist))
    // What there is one of for all twists is as the first says that guides a draw.
    const lead = training[Math.max(0, lessons.findIndex(Boolean))]!
    const { positives } = lead
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
    const way = resumed?.progress.exact
    const wanted = positives === 'exact' ? (way && way !== 'file' ? way : 'auto') : positives
    const own = { ...settings, twist: true, particles: lead.batch }
    const direct = { program: free.program, options: { settings: own, budget, signal, ...free }, seed: settings.seed }
    // A twist that is given the observed text is to know what to do with any text.
    const order = graph.conditioned.size > 0 ? (['simulate', 'enumerate', 'reject'] as const) : exactWays
    const exact = wanted === 'smc' ? null : new ExactSource(wanted, direct, plan.grounds, order)
    const populations = new Populations(fused, free, { settings: own, budget, signal, exact })
    const options = { ...plan, lead, identity, backend: await backendOf(plan.backend) }
    return new Trainer(graph, twists, lessons, options, populations).train()
  })
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
