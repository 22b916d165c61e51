import { type Diagnostic, diagnostic, type Note, SmcError } from '../diagnostics/diagnostic.js'
import type { Step } from './link.js'
import { callFrom, type Particle, textOf } from './particle.js'

/** What has killed particles, and the best text that died last: told when all are dead. */
export class Deaths {
  /** By the step that killed them; `calls`: where the program calls the library function in which that stands. */
  private readonly killed = new Map<Step, { count: number; readonly calls: readonly Note[] }>()
  private last: { readonly generation: number; readonly logw: number; readonly text: string } | null = null

  /** `logw`: the log weight that the particle had before. `generation`: points that the population has passed. */
  note(p: Particle, logw: number, generation: number): void {
    const known = this.killed.get(p.step)
    if (known) known.count++
    else this.killed.set(p.step, { count: 1, calls: callFrom(p, p.step.span) })
    const { last } = this
    if (last && last.generation === generation && logw <= last.logw) return
    this.last = { generation, logw, text: textOf(p) }
  }

  /** Z-hat = 0: which statement killed most, and the best text that died last. */
  allDead(generation: number, warnings: readonly Diagnostic[]): SmcError {
    const [worst, { count, calls }] = [...this.killed].reduce((a, b) => (b[1].count > a[1].count ? b : a))
    const total = [...this.killed.values()].reduce((sum, each) => sum + each.count, 0)
    const points = `${generation} resampling point${generation === 1 ? '' : 's'}`
    const told = { message: `this statement killed ${count} of the ${total} that died; the population had passed ${points}` }
    const notes: Note[] = [...calls, told]
    if (this.last?.text) notes.push({ message: `the best text that died last: ${JSON.stringify(this.last.text)}` })
    const hint = warnings.length > 0 ? 'see the warning: it tells why' : remedy(worst)
    const dead = diagnostic('R003', worst.span, 'all particles are dead: log Z-hat is minus infinity', { notes, hint })
    return new SmcError([dead, ...warnings], 'inference')
  }
}

/** What to try against a statement that kills. */
function remedy({ node }: Step): string {
  if ((node.op === 'Draw' && node.where !== null) || (node.op === 'Weigh' && node.kind === 'where'))
    return 'no token met the `where` of this span, which must hold of every beginning of the text: weaken the condition'
  if (node.op === 'Draw' && node.pattern !== null)
    return 'no token that the pattern allows had a probability: widen the pattern, or ask for such a text in the prompt'
  if (node.op === 'Weigh' && node.kind === 'limit')
    return 'no text came to its end within the limit of this span: raise it, or weaken what else the text must meet'
  return 'try more particles, or a graded `factor` or a `twist` before this condition, so that partial texts are told apart earlier'
}
