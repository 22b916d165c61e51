import type { Io } from './io.js'

/** Shows on stderr how far a download is: one line that is rewritten on a terminal, else one line for each file. */
export class DownloadLine {
  #file = ''
  #shown = 0
  #width = 0

  constructor(private readonly io: Io) {}

  update({ file, received, size }: { readonly file: string; readonly received: number; readonly size: number }): void {
    const { stderr } = this.io
    const now = performance.now()
    const fresh = file !== this.#file
    this.#file = file
    if (!stderr.isTTY) {
      if (fresh) stderr.write(`downloading ${file} (${(size / 2 ** 20).toFixed(1)} MiB)\n`)
      return
    }
    if (!fresh && received < size && now - this.#shown < 100) return
    this.#shown = now
    const share = size > 0 ? Math.floor((100 * received) / size) : 100
    const text = `downloading ${file}: ${(received / 2 ** 20).toFixed(1)} of ${(size / 2 ** 20).toFixed(1)} MiB, ${share} %`
    stderr.write(`\r${text.padEnd(this.#width)}`)
    this.#width = text.length
  }

  /** Takes the line away. */
  clear(): void {
    if (this.io.stderr.isTTY && this.#width > 0) this.io.stderr.write(`\r${' '.repeat(this.#width)}\r`)
    this.#width = 0
  }
}
