import { type Guide, type LearnedTwist, logPsi } from '../learned/twist.js'
import { isContext, type Value, Weight } from '../values.js'
import { answer, waiting } from './asks.js'
import type { Streaming } from './contexts.js'
import { type Fail, shown } from './failure.js'

/** Learned twists (language.md §7): psi of the text so far, and what a draw needs to look at psi before it draws. */
export function learning(fail: Fail, running: () => Streaming, twists: readonly LearnedTwist[]) {
  /** The next token behind where the context stands. */
  function guide(index: number, [context, ...args]: readonly Value[], site: number): Guide {
    const twist = twists[index]!
    if (!isContext(context)) return fail('R005', site, `expected a Context for \`${twist.name}\`, found ${shown(context)}`)
    const { stream } = context
    const { model, history, prompt } = running().streams[stream]!
    try {
      return { twist, stream, model, history, position: history.length - prompt.length, condition: twist.condition(args) }
    } catch (thrown) {
      if (!(thrown instanceof TypeError)) throw thrown
      return fail('R005', site, `\`${twist.name}\` expected ${thrown.message}`)
    }
  }

  return {
    guide,
    /** psi of the text so far: what was said of its last token before it came. An untrained twist is 1, and so is a text that is only a prompt. */
    learned(index: number, args: readonly Value[], site: number): Weight {
      const { head } = twists[index]!
      const at = guide(index, args, site)
      const before = at.history.parent
      if (!head || head.role === 'proposal' || at.position === 0 || !before) return one
      const question = { ...at, history: before, position: at.position - 1 }
      const { token } = at.history
      const p = running()
      const found = at.twist.find(question)
      if (p.looksAhead && (!found || found !== p.guidance)) throw waiting
      const log = found && logPsi(found, token)
      if (log !== undefined) return new Weight(log)
      if (p.looksAhead) throw waiting
      const key = `learned ${index} ${question.history.id} ${token} ${question.position} ${question.condition.key}`
      return answer(p, { ...question, kind: 'learned', key, token }) as Weight
    },
  }
}

const one = new Weight(0)
