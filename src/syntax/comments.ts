import type { Comment, Program } from './ast.js'
import { blank, comment, type Doc, fresh } from './layout.js'

/** Hands out the comments of a program in their order, to the printer that passes their places. */
export class Comments {
  private readonly text: string
  private readonly left: readonly Comment[]
  private next = 0

  constructor(
    program: Pick<Program, 'source' | 'comments'>,
    /** Whether it serves a hole of a string, where everything stands on one line. */
    readonly inHole = false,
  ) {
    this.text = program.source.text
    this.left = program.comments
  }

  /** For holes: no comments, and no line breaks to keep. */
  static readonly inHole = new Comments({ source: { path: '', text: '' }, comments: [] }, true)

  /** All comments before an offset that were not printed yet. */
  before(offset: number): Doc {
    const docs: Doc[] = []
    for (let each = this.peek(offset); each; each = this.peek(offset)) {
      this.next++
      const trailing = this.isTrailing(each)
      if (!trailing) docs.push(this.hasBlankBefore(each.span.start) ? blank : fresh)
      docs.push(comment(each.text.trimEnd(), trailing))
    }
    return docs
  }

  /** Those before an offset that stand at the end of a line with other text. */
  trailing(offset: number): Doc {
    const docs: Doc[] = []
    for (let each = this.peek(offset); each && this.isTrailing(each); each = this.peek(offset)) {
      this.next++
      docs.push(comment(each.text.trimEnd(), true))
    }
    return docs
  }

  /** Whether any is left before an offset. */
  any(offset: number): boolean {
    return this.peek(offset) !== undefined
  }

  /** Whether any is left between two places. */
  within(start: number, end: number): boolean {
    return this.left.some((each, i) => i >= this.next && each.span.start >= start && each.span.start < end)
  }

  /** Whether the writer left a line empty before this place. */
  hasBlankBefore(offset: number): boolean {
    return /(\r\n|\n|\r)[ \t]*(\r\n|\n|\r)[ \t]*$/.test(this.text.slice(Math.max(0, offset - 400), offset))
  }

  /** Whether the writer broke the line between two places. */
  hasBreak(start: number, end: number): boolean {
    return /[\n\r]/.test(this.text.slice(start, end))
  }

  private peek(offset: number): Comment | undefined {
    const each = this.left[this.next]
    return each && each.span.start < offset ? each : undefined
  }

  private isTrailing(each: Comment): boolean {
    const before = this.text.slice(0, each.span.start)
    const start = Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r')) + 1
    return before.slice(start).trim() !== ''
  }
}
