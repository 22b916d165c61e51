import { arrowsOf, type CharacterDfa } from './character-dfa.js'
import type { CodePoints } from './code-points.js'
import { nodeLimit, TooLarge } from './regex-nfa.js'

/*
 * A grammar as automata that call each other (recursive transition networks, Woods 1970): each rule is a stretch of nodes from its start to
 * its final node; an arrow reads nothing, one character, or a whole rule.
 */

export interface GrammarNode {
  readonly empty: number[]
  readonly reads: { readonly set: CodePoints; readonly to: number }[]
  readonly calls: { readonly rule: number; readonly to: number }[]
}

export interface Rule {
  readonly name: string
  readonly start: number
  readonly final: number
}

/** Grammars and schemas are built as one of these, node by node. Building methods return the node behind what they add. */
export class GrammarNodes {
  readonly nodes: GrammarNode[] = []
  readonly rules: Rule[] = []

  node(): number {
    if (this.nodes.length >= nodeLimit) throw new TooLarge()
    return this.nodes.push({ empty: [], reads: [], calls: [] }) - 1
  }

  /** The node of a number, a new one where there is none yet. */
  numbered(nodes: Map<number, number>, number: number): number {
    let node = nodes.get(number)
    if (node === undefined) nodes.set(number, (node = this.node()))
    return node
  }

  /** A rule whose nodes are still to be laid between its start and its final node. */
  rule(name: string): number {
    return this.rules.push({ name, start: this.node(), final: this.node() }) - 1
  }

  join(from: number, to: number): void {
    this.nodes[from]!.empty.push(to)
  }

  read(from: number, set: CodePoints, to = this.node()): number {
    this.nodes[from]!.reads.push({ set, to })
    return to
  }

  text(from: number, text: string): number {
    let at = from
    for (const character of text) at = this.read(at, [{ min: character.codePointAt(0)!, max: character.codePointAt(0)! }])
    return at
  }

  call(from: number, rule: number): number {
    const to = this.node()
    this.nodes[from]!.calls.push({ rule, to })
    return to
  }

  choice(from: number, parts: readonly ((from: number) => number)[]): number {
    const to = this.node()
    for (const part of parts) {
      const begin = this.node()
      this.join(from, begin)
      this.join(part(begin), to)
    }
    return to
  }

  repeat(from: number, min: number, max: number, part: (from: number) => number): number {
    let at = from
    for (let i = 0; i < min; i++) at = part(at)
    const to = this.node()
    if (max === Number.POSITIVE_INFINITY) {
      this.join(at, to)
      this.join(part(to), to)
      return to
    }
    for (let i = min; i < max; i++) {
      this.join(at, to)
      at = part(at)
    }
    this.join(at, to)
    return to
  }

  /** The texts of an automaton; `read` lays the arrow of a set of characters. */
  automaton(
    from: number,
    automaton: CharacterDfa,
    read = (from: number, set: CodePoints, to: number) => void this.read(from, set, to),
  ): number {
    const final = this.node()
    const states = Array.from({ length: automaton.dfa.size }, () => this.node())
    if (states.length > 0) this.join(from, states[0]!)
    for (const [state, node] of states.entries()) {
      if (automaton.dfa.accepting[state]) this.join(node, final)
      for (const { set, to } of arrowsOf(automaton, state)) read(node, set, states[to]!)
    }
    return final
  }
}
