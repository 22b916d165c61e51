import { writeSync } from 'node:fs'
import { exitCodes, reason } from './errors.js'

/** One of the two streams that a command writes to. */
export interface Output {
  write(text: string): void
  readonly isTTY: boolean
  /** Cells of a line; undefined when it is not a terminal. */
  readonly columns: number | undefined
}

/** All that a command sees of the process, so that tests can stand in for it. */
export interface Io {
  /** Results only. */
  readonly stdout: Output
  /** Progress and diagnostics. */
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** All of standard input. */
  readInput(): Promise<Uint8Array>
  /** Calls `handler` at the first Ctrl-C; a second one ends the process with code 130. Returns what undoes it. */
  onInterrupt(handler: () => void): () => void
}

/** Whether a stream may carry colours: NO_COLOR and FORCE_COLOR decide, else only a terminal does (no-color.org). */
export function colours(output: Output, env: Io['env']): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0'
  return output.isTTY && env.TERM !== 'dumb'
}

/** The streams and signals of this process. */
export function processIo(): Io {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', abandon)
  return {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    env: process.env,
    async readInput() {
      const chunks: Buffer[] = []
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
      return Buffer.concat(chunks)
    },
    onInterrupt(handler) {
      let seen = false
      const listener = () => {
        if (seen) process.exit(130)
        seen = true
        handler()
      }
      process.on('SIGINT', listener)
      return () => process.off('SIGINT', listener)
    },
  }
}

/** Ends the process once all that was written has left it; sessions of the tensor runtime may keep the event loop alive. */
export function exitWhenWritten(code: number): void {
  process.stdout.write('', (failed) => {
    if (failed) abandon(failed)
    process.stderr.write('', () => process.exit(code))
  })
}

/** A reader that has seen enough, as `head` does, closes the pipe: nothing is wrong, and nobody is left to tell. A full disk is another matter. */
function abandon(error: Error): never {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit()
  try {
    writeSync(2, `error X014: cannot write the result: ${reason(error)}\n`)
  } finally {
    process.exit(exitCodes.command)
  }
}

function output(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    isTTY: stream.isTTY === true,
    get columns() {
      // A terminal that does not know its width says 0.
      return (stream.isTTY && stream.columns) || undefined
    },
  }
}
