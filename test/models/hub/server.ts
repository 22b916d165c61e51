import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the imitation does wrong, by file name. */
export interface Faults {
  /** Closes the connection after so many bytes of each answer. */
  readonly cutAfter?: number
  /** Sends other bytes than it announced. */
  readonly corrupt?: boolean
  /** Sends the whole file, whatever range is asked for. */
  readonly ignoreRange?: boolean
}

const commit = 'c'.repeat(40)

/** An imitation of the hub on 127.0.0.1: the list of files, a redirect to where the bytes are, ranges. */
export class HubServer {
  readonly requests: string[] = []
  readonly tokens: (string | undefined)[] = []
  faults: Record<string, Faults> = {}
  /** Answers every question with this status. */
  refuse = 0
  /** Where it says that files lie, in the place of the truth. */
  redirect = ''
  endpoint = ''
  readonly #server = createServer((request, response) => this.#answer(request, response))
  readonly #files: ReadonlyMap<string, Buffer>

  constructor(
    private readonly repository: string,
    files: Readonly<Record<string, Buffer>>,
  ) {
    this.#files = new Map(Object.entries(files))
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done))
    this.endpoint = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = decodeURIComponent(request.url ?? '')
    this.requests.push(request.headers.range ? `${url} ${request.headers.range}` : url)
    this.tokens.push(request.headers.authorization)
    if (this.refuse) return void response.writeHead(this.refuse).end('no')
    if (url === `/api/models/${this.repository}/revision/main?blobs=true`) {
      const siblings = [...this.#files].map(([name, data]) => describeFile(name, data))
      return void response.end(JSON.stringify({ id: this.repository, sha: commit, siblings }))
    }
    const resolved = `/${this.repository}/resolve/${commit}/`
    if (url.startsWith(resolved)) {
      // Large files lie elsewhere; "localhost" is another origin than 127.0.0.1.
      const elsewhere = this.endpoint.replace('127.0.0.1', 'localhost')
      return void response.writeHead(302, { location: this.redirect || `${elsewhere}/cdn/${url.slice(resolved.length)}` }).end()
    }
    const name = url.replace('/cdn/', '')
    const data = this.#files.get(name)
    if (!data) return void response.writeHead(404).end('not found')
    this.#send(response, data, this.faults[name] ?? {}, request.headers.range)
  }

  #send(response: ServerResponse, whole: Buffer, faults: Faults, range: string | undefined): void {
    const from = range && !faults.ignoreRange ? Number(/^bytes=(\d+)-$/.exec(range)![1]) : 0
    const data = Buffer.from(whole.subarray(from))
    if (faults.corrupt) data[0]! ^= 1
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': data.length,
      ...(from > 0 && { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` }),
    })
    if (faults.cutAfter === undefined || faults.cutAfter >= data.length) return void response.end(data)
    // Time for what was sent to arrive: an error on the way discards what the reader has not taken yet.
    response.write(data.subarray(0, faults.cutAfter), () => setTimeout(() => response.destroy(), 30))
  }
}

/** As the hub lists a file: large ones with their SHA-256, all with git's name of what is in the repository. */
function describeFile(rfilename: string, data: Buffer): object {
  const blobId = createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex')
  const lfs = { sha256: createHash('sha256').update(data).digest('hex'), size: data.length }
  return { rfilename, size: data.length, blobId, ...(/\.(safetensors|gguf)$/.test(rfilename) && { lfs }) }
}
