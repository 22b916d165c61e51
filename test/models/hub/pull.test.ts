import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { pull } from '../../../src/models/hub/pull.js'
import { listModels, openClassifier, openModel } from '../../../src/models/registry.js'
import { HubServer } from './server.js'

const fixtures = fileURLToPath(new URL('../../conformance/fixtures', import.meta.url))
const files = (folder: string) =>
  Object.fromEntries(readdirSync(join(fixtures, folder)).map((name) => [name, readFileSync(join(fixtures, folder, name))]))
const id = 'someone/a-model'
const largest = 'model-00001-of-00004.safetensors'

let server: HubServer
let cache: string
const saved = { ...process.env }
beforeEach(async () => {
  server = new HubServer(id, {
    ...files('qwen3'),
    'README.md': Buffer.from('# not needed'),
    'gguf/small.gguf': readFileSync(join(fixtures, 'gguf', 'llama.gguf')),
  })
  await server.start()
  cache = mkdtempSync(join(tmpdir(), 'smcc-hub-'))
  Object.assign(process.env, { HF_ENDPOINT: server.endpoint, HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '', HF_TOKEN: '' })
})
afterEach(async () => {
  process.env = { ...saved }
  await server.stop()
  rmSync(cache, { recursive: true })
})

const listed = () =>
  readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(cache, name)).isFile())
const snapshots = () => listed().filter((name) => name.includes('snapshots'))
const halfWritten = () => listed().filter((name) => name.includes('incomplete') || name.includes('.new'))

describe('a model on the hub', () => {
  it.runIf(existsSync('/proc/self'))('cannot be fetched into a folder that lets nothing be made in it', async () => {
    process.env.HF_HUB_CACHE = '/proc/self'
    await expect(pull(id)).rejects.toThrow(/M002: \/proc\/self cannot be written: .*mkdir/)
  })

  it('is fetched into folders that are not there yet', async () => {
    process.env.HF_HUB_CACHE = join(cache, 'deep', 'er')
    const [first, second] = await Promise.all([pull(id), pull(id)])
    expect(first).toBe(second)
    expect(existsSync(join(first, 'config.json'))).toBe(true)
  })

  it('is fetched once, into the layout of the shared cache', async () => {
    const told: string[] = []
    const model = await openModel(id, { base: '.', onDownload: ({ file }) => told.push(file) })
    const local = await openModel('qwen3', { base: fixtures })
    expect(model.hash).toBe(local.hash)
    expect(new Set(told)).toContain(largest)
    await Promise.all([model.dispose(), local.dispose()])
    expect(snapshots().some((name) => name.endsWith('config.json'))).toBe(true)
    expect(listed().some((name) => name.endsWith('README.md'))).toBe(false)
    expect(readFileSync(join(cache, 'models--someone--a-model', 'refs', 'main'), 'utf8')).toBe('c'.repeat(40))
    expect(halfWritten()).toEqual([])
    const asked = server.requests.length
    await (await openModel(id, { base: '.' })).dispose()
    expect(server.requests.length).toBe(asked)
    expect((await listModels()).map((entry) => [entry.id, entry.size?.family])).toContainEqual([id, 'qwen3'])
  })

  it('may be one GGUF file of many', async () => {
    const model = await openModel(`${id}/gguf/small.gguf`, { base: '.' })
    expect(model.vocabulary.size).toBe(50)
    await model.dispose()
    expect((await listModels()).map((entry) => [entry.id, entry.size?.family])).toContainEqual([`${id}/gguf/small.gguf`, 'llama'])
    await expect(openModel(`${id}/gguf/other.gguf`, { base: '.' })).rejects.toMatchObject({
      diagnostics: [{ code: 'M002', hint: 'it has gguf/small.gguf' }],
    })
  })

  it('gets the token of HF_TOKEN, and where it redirects does not', async () => {
    process.env.HF_TOKEN = 'secret'
    await pull(id)
    server.requests.forEach((url, i) => {
      expect(server.tokens[i]).toBe(url.startsWith('/cdn') ? undefined : 'Bearer secret')
    })
  })
})

describe('a classifier on the hub', () => {
  const folder = fileURLToPath(new URL('../classifiers/bert', import.meta.url))
  const graph = readFileSync(join(folder, 'onnx/model.onnx'))
  const texts = Object.fromEntries(['config.json', 'tokenizer.json'].map((name) => [name, readFileSync(join(folder, name))]))
  const serve = async (held: Readonly<Record<string, Buffer>>) => {
    await server.stop()
    server = new HubServer(id, held)
    await server.start()
    process.env.HF_ENDPOINT = server.endpoint
  }

  it('is fetched once: its texts and one graph, the one in full precision', async () => {
    await serve({ ...texts, 'onnx/model.onnx': graph, 'onnx/model_quantized.onnx': graph, 'model.safetensors': graph })
    const [fetched, local] = [await openClassifier(id, '.'), await openClassifier(folder, '.')]
    expect(fetched.labels).toEqual(local.labels)
    await Promise.all([fetched.dispose(), local.dispose()])
    const names = snapshots().map((path) => path.split(`snapshots/${'c'.repeat(40)}/`)[1])
    expect(names.sort()).toEqual(['config.json', 'onnx/model.onnx', 'tokenizer.json'])
    const asked = server.requests.length
    await (await openClassifier(id, '.')).dispose()
    expect(server.requests.length).toBe(asked)
  })

  it('goes on where a transfer broke off', async () => {
    await serve({ ...texts, 'onnx/model.onnx': graph })
    server.faults['onnx/model.onnx'] = { cutAfter: 10000 }
    await (await openClassifier(id, '.')).dispose()
    expect(server.requests.some((url) => url.includes('onnx') && url.includes('bytes='))).toBe(true)
  })

  it('without the files is refused, as is one out of reach', async () => {
    await serve({ ...texts, 'model.safetensors': graph })
    await expect(openClassifier(id, '.')).rejects.toThrow(/M002: someone\/a-model does not hold .*onnx\/model.onnx/)
    process.env.HF_HUB_OFFLINE = '1'
    await expect(openClassifier(id, '.')).rejects.toThrow(/M002.*HF_HUB_OFFLINE is set/)
  })
})

describe('a transfer that breaks off', () => {
  it('is taken up where it stopped', async () => {
    server.faults[largest] = { cutAfter: 3000 }
    await pull(id)
    expect(server.requests.filter((url) => url.includes(largest) && url.includes('bytes=')).length).toBeGreaterThan(0)
    await (await openModel(id, { base: '.' })).dispose()
  })

  it('starts again where the server knows no ranges', async () => {
    server.faults[largest] = { cutAfter: 3000, ignoreRange: true }
    await expect(pull(id)).rejects.toThrow(/M007.*ended after 3000 of \d+ bytes/)
    server.faults = {}
    await pull(id)
    await (await openModel(id, { base: '.' })).dispose()
  })

  it('is told after some attempts, leaves no snapshot, and goes on at the next call', async () => {
    server.faults[largest] = { cutAfter: 100 }
    await expect(pull(id)).rejects.toThrow(
      /M007: the download of model-00001-of-00004.safetensors of someone\/a-model ended after 400 of/,
    )
    expect(snapshots()).toEqual([])
    server.faults = {}
    await pull(id)
    expect(server.requests.some((url) => url.includes(largest) && url.endsWith('bytes=400-'))).toBe(true)
    expect(halfWritten()).toEqual([])
    await (await openModel(id, { base: '.' })).dispose()
  })
})

describe('processes that fetch the same at once', () => {
  const whole = readFileSync(join(fixtures, 'qwen3', largest))
  const blob = () => join(cache, 'models--someone--a-model', 'blobs', createHash('sha256').update(whole).digest('hex'))
  const ranges = () => server.requests.filter((url) => url.includes(largest)).map((url) => /bytes=.*/.exec(url)?.[0])
  let other: ChildProcess
  beforeEach(async () => {
    other = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await once(other.stdout!, 'data')
  })
  afterEach(() => other.kill())

  /** The first 1,000 bytes, as the other process has them. */
  const held = () => {
    mkdirSync(join(blob(), '..'), { recursive: true })
    const path = `${blob()}.${hostname().replace(/[^\w-]/g, '_')}.${other.pid}.incomplete`
    writeFileSync(path, whole.subarray(0, 1000))
    return path
  }

  it('in one process ask once, and both have it', async () => {
    server.faults[largest] = { cutAfter: 3000 }
    expect(new Set(await Promise.all([pull(id), pull(id)])).size).toBe(1)
    expect(new Set(ranges()).size).toBe(ranges().length / 2)
    expect(halfWritten()).toEqual([])
    await (await openModel(id, { base: '.' })).dispose()
  })

  it('wait for the one that is at work, and go on from what it has when it ends', async () => {
    held()
    const told: number[] = []
    const pulled = pull(id, ({ file, received }) => file === largest && told.push(received))
    await vi.waitFor(() => expect(told).toContain(1000), 5000)
    expect(ranges()).toEqual([])
    other.kill()
    await pulled
    expect(ranges()).toContain('bytes=1000-')
    expect(halfWritten()).toEqual([])
    await (await openModel(id, { base: '.' })).dispose()
  })

  it('need not fetch what the other one has finished', async () => {
    const path = held()
    const told: number[] = []
    const pulled = pull(id, ({ file, received }) => file === largest && told.push(received))
    await vi.waitFor(() => expect(told).toContain(1000), 5000)
    writeFileSync(blob(), whole)
    rmSync(path)
    await pulled
    expect(ranges()).toEqual([])
  })

  it('leave alone what belongs to one that does not go on', async () => {
    const path = held()
    utimesSync(path, 1, 1)
    await pull(id)
    expect(new Set(ranges())).toEqual(new Set([undefined]))
    expect(existsSync(path)).toBe(true)
    await (await openModel(id, { base: '.' })).dispose()
  })
})

it('a snapshot without one of its shards, which another program left, is fetched', async () => {
  const folder = await pull(id)
  rmSync(join(folder, largest))
  expect((await listModels()).map((entry) => entry.id)).not.toContain(id)
  await (await openModel(id, { base: '.' })).dispose()
  expect(existsSync(join(folder, largest))).toBe(true)
})

it('a file that was damaged in the cache is fetched again, and it alone', async () => {
  const blob = realpathSync(join(await pull(id), largest))
  const bytes = readFileSync(blob)
  writeFileSync(blob, Buffer.concat([Buffer.from('XXXX'), bytes.subarray(4)]))
  const before = server.requests.length
  await pull(id)
  expect(readFileSync(blob)).toEqual(bytes)
  const asked = server.requests.slice(before).filter((url) => !url.startsWith('/api'))
  expect(asked.every((url) => url.includes(largest))).toBe(true)
})

describe('what is told, with nothing left behind', () => {
  it.each([largest, 'config.json'])('a wrong hash of %s', async (name) => {
    server.faults[name] = { corrupt: true }
    await expect(pull(id)).rejects.toThrow(/M007: the download of .* is damaged: its hash is [0-9a-f]{40,}, expected/)
    expect(halfWritten()).toEqual([])
    expect(snapshots()).toEqual([])
  })

  it.each([
    [401, /M002.*there is no such model, or it is private/],
    [403, /M002.*there is no such model, or it is private/],
    [404, /M002.*the hub has no model someone\/a-model/],
    [503, /M002.*it answers 503/],
  ])('the answer %i', async (status, message) => {
    server.refuse = status
    await expect(openModel(id, { base: '.' })).rejects.toThrow(message)
    expect(listed()).toEqual([])
  })

  it('a hub out of reach', async () => {
    process.env.HF_ENDPOINT = 'http://127.0.0.1:9'
    await expect(openModel(id, { base: '.' })).rejects.toThrow(/M002: someone\/a-model cannot be fetched from the hub/)
    process.env.HF_HUB_OFFLINE = '1'
    await expect(openModel(id, { base: '.' })).rejects.toThrow(/M002.*HF_HUB_OFFLINE is set/)
    expect(listed()).toEqual([])
  })

  it('addresses that are none', async () => {
    process.env.HF_ENDPOINT = 'hub.example'
    await expect(pull(id)).rejects.toThrow(/M002: HF_ENDPOINT is not an address: hub.example/)
    process.env.HF_ENDPOINT = server.endpoint
    server.redirect = 'http://'
    await expect(pull(id)).rejects.toThrow(/M002: .*redirects to http:\/\/, which is not an address/)
    expect(snapshots()).toEqual([])
  })

  it('a cache that cannot be written', async () => {
    process.env.HF_HUB_CACHE = join(cache, 'file')
    writeFileSync(process.env.HF_HUB_CACHE, '')
    await expect(pull(id)).rejects.toThrow(/M002: .*file cannot be written: ENOTDIR/)
  })

  it('a model without the files that are read', async () => {
    const bare = new HubServer(id, { 'pytorch_model.bin': Buffer.from('x'), 'q4/model.gguf': Buffer.from('y') })
    await bare.start()
    process.env.HF_ENDPOINT = bare.endpoint
    await expect(pull(id)).rejects.toMatchObject({
      diagnostics: [{ code: 'M002', hint: `it has GGUF files: write "${id}/q4/model.gguf"` }],
    })
    await bare.stop()
  })
})
