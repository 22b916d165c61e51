import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What a peer runs: one prompt, continued by every particle. */
export interface Task {
  readonly prompt: string
  /** Tokens a particle draws; with a pattern, the most that it may draw. */
  readonly steps: number
  /** A regular expression that the text must match. No match may be the beginning of another, so that all peers stop at the same place. */
  readonly pattern: string | null
  readonly particles: number
  readonly threads: number
  /** Every peer tells the log probability of this text after the prompt: the same weights give the same number. */
  readonly known: string
  /** The model: a GGUF file for smcc, the same weights as a folder for transformers. */
  readonly file: string
  readonly folder: string
  /** Whether a peer runs with the quickest settings that it has, or as it comes. */
  readonly tuned: boolean
}

export interface Ready {
  /** Token ids. */
  readonly prompt: readonly number[]
  readonly known: number
}

export interface Measured {
  readonly seconds: number
  /** Draws of all particles. */
  readonly tokens: number
  /** log Z-hat; "dead" when no particle lives, null for a peer without weights. */
  readonly logZ: number | 'dead' | null
  readonly text: string
  /** Peak memory of the process so far, bytes. */
  readonly peak: number
}

/** Why a peer is not compared, in one sentence. */
export class Missing extends Error {}

/**
 * A peer in a process of its own. It answers lines: when it has loaded and is warm, who it is (`Ready`); for each seed on its standard
 * input, one run (`Measured`); or `{"missing": "..."}`. `bench/peers/worker.py` is the other end.
 */
export class PeerProcess {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #gone: Promise<never>
  #errors = ''

  constructor(
    readonly name: string,
    command: string,
    args: readonly string[],
  ) {
    this.#child = spawn(command, args, { stdio: 'pipe' })
    this.#child.stderr!.on('data', (chunk) => {
      this.#errors = `${this.#errors}${chunk}`.slice(-2000)
    })
    // Writing to a process that has ended is told by its answer, which does not come.
    this.#child.stdin!.on('error', () => {})
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
    this.#gone = new Promise((_, fail) => {
      this.#child.on('error', () => fail(new Missing(`${command} does not run here`)))
    })
    this.#gone.catch(() => {})
  }

  /** When it has loaded and is warm. Throws Missing. */
  ready(): Promise<Ready> {
    return this.#answer<Ready>()
  }

  run(seed: number): Promise<Measured> {
    this.#child.stdin!.write(`${seed}\n`)
    return this.#answer<Measured>()
  }

  stop(): void {
    this.#child.kill()
  }

  async #answer<T>(): Promise<T> {
    const { value, done } = await Promise.race([this.#lines.next(), this.#gone])
    if (done) throw new Error(`${this.name} ended without an answer:\n${this.#errors}`)
    const answer = JSON.parse(value) as T & { readonly missing?: string }
    if (answer.missing !== undefined) throw new Missing(answer.missing)
    return answer
  }
}
