import type { Graph } from '../../graph/ir.js'
import type { Settings } from '../result.js'
import { schemes } from '../settings.js'

/** One way of running a program, under which the estimates must be the same. */
export interface Way {
  readonly name: string
  readonly settings: Partial<Settings>
  /** Twists as they are, turned into their contrary, or, for learned ones, noise. */
  readonly twists?: 'contrary'
  /** Conditional SMC, where E[1 / Z-hat] is looked at; or only its resampling, where the law of what it keeps is. */
  readonly conditional?: 'smc' | 'resampling'
}

export interface Law {
  readonly law: string
  /** What must be the same. */
  readonly states: string
  readonly ways: readonly Way[]
}

/** The laws of language.md §12 that a program can be tried on; those without an object are left out. */
export function lawsFor(graph: Graph): Law[] {
  const nodes = graph.functions.flatMap((f) => f.nodes)
  const twisted = nodes.some((node) => node.op === 'Twist' || (node.op === 'Span' && node.twist !== null))
  const one = { particles: 1 } as const
  const two = { particles: 2 } as const
  const plain = { ...two, fuse: false } as const
  const laws: Law[] = [
    {
      law: 'estimates',
      states: 'E[Z-hat x posterior] is the target',
      ways: [
        { name: '1 particle', settings: one },
        { name: '2 particles', settings: { ...two, threshold: 0.9 } },
        { name: '8 particles', settings: { particles: 8 } },
      ],
    },
    {
      law: 'twists',
      states: 'twists change no estimate: left out, or turned into their contrary',
      ways: [
        { name: 'no twists', settings: { ...two, twist: false } },
        { name: 'contrary twists, 1 particle', settings: one, twists: 'contrary' },
        { name: 'contrary twists', settings: { ...two, threshold: 1 }, twists: 'contrary' },
      ],
    },
    {
      law: 'fusion',
      states: 'drawing with or without what follows in sight changes no estimate',
      ways: [
        { name: 'not fused, 1 particle', settings: { ...one, fuse: false } },
        { name: 'not fused', settings: { ...plain, threshold: 0.9 } },
      ],
    },
    {
      law: 'resampling',
      states: 'no scheme and no threshold changes an estimate',
      ways: [
        // Not fused: what is fused before the only point of a short span weighs the same for all.
        ...schemes.map((resample) => ({ name: `${resample}, always`, settings: { ...plain, resample, threshold: 1 } })),
        { name: 'fused, always', settings: { ...two, threshold: 1 } },
        { name: 'never', settings: { ...two, threshold: 0 } },
        { name: 'steer', settings: { ...two, method: 'steer', expansion: 2 } },
      ],
    },
    {
      law: 'conditional',
      states: 'with an exact sample kept, E[1 / Z-hat] = P(not all dead) / Z',
      ways: [
        { name: 'always', settings: { ...plain, threshold: 1 }, conditional: 'smc' },
        { name: 'fused, by the ESS', settings: { ...two, threshold: 0.9, resample: 'multinomial' }, conditional: 'smc' },
        ...schemes.map((resample) => ({
          name: `${resample}, 3 weights`,
          settings: { resample },
          conditional: 'resampling' as const,
        })),
      ],
    },
  ]
  return laws.filter(({ law }) => law !== 'twists' || twisted)
}
