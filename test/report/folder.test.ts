import { expect, test } from 'vitest'
import { diagnostic } from '../../src/diagnostics/diagnostic.js'
import { folderFiles, isManifest, type Provenance, readFolder } from '../../src/report/folder.js'
import { example } from './example.js'

const provenance: Provenance = {
  origins: {
    particles: 'flag',
    seed: 'random',
    method: 'default',
    resample: 'program',
    threshold: 'default',
    expansion: 'default',
    sweeps: 'default',
    fuse: 'default',
    twist: 'default',
    batch: 'default',
    maxMemory: 'machine',
    device: 'flag',
    backend: 'default',
    dtype: 'default',
  },
  params: { gap: 4 },
  node: 'v20.0.0',
  platform: 'linux x64',
  hash: (text) => `hash of ${text.length}`,
  record: null,
}
const files = folderFiles(example, '<html>', provenance)
const text = (name: string) => files.get(name)!

test('the manifest says where each setting came from, and what the files hold', () => {
  const manifest = JSON.parse(text('manifest.json'))
  expect([...files.keys()]).toEqual(['particles.jsonl', 'steps.jsonl', 'report.html', 'manifest.json'])
  expect(manifest.settings).toMatchObject({
    particles: { value: 4, from: 'flag' },
    seed: { value: 7, from: 'random' },
    resample: { value: 'systematic', from: 'program' },
    batch: { value: 256, from: 'default' },
    maxMemory: { value: 4, from: 'machine' },
  })
  expect(manifest.params).toEqual({ gap: 4 })
  expect(manifest.versions).toEqual({ smcc: '0.1.0', node: 'v20.0.0', platform: 'linux x64' })
  expect(manifest.models).toEqual(example.models)
  expect(manifest.files['report.html']).toEqual({ sha256: 'hash of 6' })
  expect(isManifest(manifest)).toBe(true)
})

test('one line a particle, one a step', () => {
  expect(
    text('particles.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(example.samples)
  expect(
    text('steps.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(example.steps)
})

test('a folder gives its result back', () => {
  const texts = { manifest: text('manifest.json'), particles: text('particles.jsonl'), steps: text('steps.jsonl') }
  expect(readFolder(texts)).toEqual(example)
})

test('a warning keeps its place when its source is gone', () => {
  const source = { path: 'infill.smc', text: 'let x = 1\nlet y = 2\n' }
  const warning = diagnostic('R001', { source, start: 14, end: 15 }, 'the window is full', {
    severity: 'warning',
    hint: 'shorten it',
  })
  const stored = folderFiles({ ...example, warnings: [warning] }, '', provenance)
  const read = readFolder({ manifest: stored.get('manifest.json')!, particles: '', steps: '' })
  expect(read.warnings).toEqual([
    { code: 'R001', severity: 'warning', message: 'infill.smc:2: the window is full', hint: 'shorten it', notes: [] },
  ])
})

test('other JSON is no manifest', () => {
  for (const value of [null, 3, [], {}, { schema: 2, smcc: '9', settings: {}, files: {} }, { name: 'smcc', version: '1' }])
    expect(isManifest(value)).toBe(false)
})
