import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { Io, Output } from '../../src/cli/io.js'
import { main, type Open } from '../../src/cli/main.js'

export interface ConsoleOptions {
  /** Both streams are terminals of this many cells. */
  readonly columns?: number
  readonly env?: Record<string, string>
  readonly input?: string
}

/** Streams that remember, and a Ctrl-C that can be pressed. */
export function testConsole(options: ConsoleOptions = {}) {
  const texts = { out: '', err: '' }
  let handler = () => {}
  const output = (name: 'out' | 'err'): Output => ({
    write: (text) => {
      texts[name] += text
    },
    isTTY: options.columns !== undefined,
    columns: options.columns,
  })
  const io: Io = {
    stdout: output('out'),
    stderr: output('err'),
    env: options.env ?? {},
    readInput: async () => new TextEncoder().encode(options.input ?? ''),
    onInterrupt(given) {
      handler = given
      return () => {
        handler = () => {}
      }
    },
  }
  return { io, texts, interrupt: () => handler() }
}

/** Runs a command line; the streams come back as texts. */
export async function smcc(argv: readonly string[], open?: Open, options?: ConsoleOptions) {
  const { io, texts } = testConsole(options)
  const code = await main(argv, io, open)
  return { code, out: texts.out, err: texts.err }
}

/** Every test of the file stands in an empty folder of its own. */
export function inEmptyFolder(): { write(files: Readonly<Record<string, string>>): void } {
  const home = process.cwd()
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'smcc-'))
    process.chdir(folder)
  })
  afterEach(() => {
    process.chdir(home)
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    write(files) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(name), { recursive: true })
        writeFileSync(name, text)
      }
    },
  }
}
