/** Values by text, within bounds: when half of what may be kept is new, what was not asked for since the last time goes. */
export class Recent<T> {
  private young = new Map<string, T>()
  private old = new Map<string, T>()
  /** Characters of the young texts. */
  private characters = 0

  constructor(
    private readonly mostTexts: number,
    private readonly mostCharacters: number,
  ) {}

  get(text: string): T | undefined {
    const young = this.young.get(text)
    if (young !== undefined) return young
    const old = this.old.get(text)
    if (old !== undefined) this.set(text, old)
    return old
  }

  set(text: string, value: T): void {
    if (!this.young.has(text)) this.characters += text.length
    this.young.set(text, value)
    if (2 * this.young.size < this.mostTexts && 2 * this.characters < this.mostCharacters) return
    this.old = this.young
    this.young = new Map()
    this.characters = 0
  }
}
