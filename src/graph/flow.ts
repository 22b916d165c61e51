import type { Span } from '../diagnostics/span.js'
import type { Code, Node, NodeId } from './ir.js'

/** Where control goes on from: to be told the id of the node that comes next. */
export type Tail = (next: NodeId) => void

/** Lays nodes one after another: a way that is left open goes on at whatever is appended next. */
export class Flow {
  private tails: Tail[]

  constructor(
    readonly nodes: Node[],
    from: Tail,
  ) {
    this.tails = [from]
  }

  /** Whether control can reach what is appended next. */
  get open(): boolean {
    return this.tails.length > 0
  }

  /** Appends a node and goes on after it. */
  append(node: Exclude<Node, { op: 'Branch' }>): NodeId {
    const id = this.place(node)
    if (node.op !== 'Return')
      this.tails = [
        (next) => {
          node.next = next
        },
      ]
    return id
  }

  /** Appends a branch and builds both ways, which meet behind it. */
  branch(test: Code, span: Span, then: () => void, otherwise: () => void = () => {}): NodeId {
    const node = { op: 'Branch' as const, test, then: -1, else: -1, span }
    const id = this.place(node)
    this.tails = [
      (next) => {
        node.then = next
      },
    ]
    then()
    const after = this.detach()
    this.tails = [
      (next) => {
        node.else = next
      },
    ]
    otherwise()
    this.join(after)
    return id
  }

  /** Appends a loop: `test` before every turn. `body` may detach ways out, to be joined behind the loop. */
  loop(test: () => { code: Code; span: Span }, body: () => void, continues: () => Tail[] = () => []): void {
    let head: NodeId = -1
    this.notice((id) => {
      head = id
    })
    const { code, span } = test()
    let out: Tail[] = []
    this.branch(
      code,
      span,
      () => {
        body()
        this.join(continues())
        for (const tail of this.detach()) tail(head)
      },
      () => {
        out = this.detach()
      },
    )
    this.join(out)
  }

  /** Takes the open ways away: nothing that is appended next is reached by them. */
  detach(): Tail[] {
    const tails = this.tails
    this.tails = []
    return tails
  }

  join(tails: readonly Tail[]): void {
    this.tails = [...this.tails, ...tails]
  }

  /** Tells the id of the node that is appended next, if control can get there. */
  notice(tail: Tail): void {
    if (this.open) this.tails.push(tail)
  }

  /** Leads all open ways to a node that exists already. */
  end(id: NodeId): void {
    for (const tail of this.detach()) tail(id)
  }

  private place(node: Node): NodeId {
    const id = this.nodes.push(node) - 1
    this.end(id)
    return id
  }
}
