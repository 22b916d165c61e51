import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { requireWritableFile, requireWritableFolder, writeAtomically, writeFolder } from '../../src/cli/output.js'
import { inEmptyFolder } from './console.js'

const { write } = inEmptyFolder()
const manifest = JSON.stringify({ schema: 1, smcc: '0.1.0', settings: {}, files: {} })

describe('before the run', () => {
  test('a file needs a folder, must not be one, and is no program', () => {
    mkdirSync('folder')
    write({ 'here.json': '' })
    for (const path of ['new.json', 'here.json', 'folder/new.json', '/dev/null']) requireWritableFile('--json', path)
    expect(() => requireWritableFile('--json', 'missing/new.json')).toThrow(
      'X014: cannot write `missing/new.json`: its folder does not exist',
    )
    expect(() => requireWritableFile('--json', 'folder')).toThrow('it is a folder')
    expect(() => requireWritableFile('--json', 'coin.smc')).toThrow('would overwrite the program')
    expect(existsSync('new.json')).toBe(false)
  })

  test('a folder is new, empty, or an earlier run', () => {
    mkdirSync('empty')
    write({ 'earlier/manifest.json': manifest, 'notes/text.txt': '', 'app/manifest.json': '{"name":"app"}', file: '' })
    for (const path of ['new', 'new/deep/er', 'empty', 'earlier']) requireWritableFolder('--out', path)
    for (const path of ['notes', 'app']) expect(() => requireWritableFolder('--out', path), path).toThrow('X015')
    for (const path of ['file', 'file/below']) expect(() => requireWritableFolder('--out', path), path).toThrow('X014')
    expect(existsSync('new')).toBe(false)
  })
})

describe('after the run', () => {
  test('a file is replaced whole, keeps its mode, and links are followed', () => {
    write({ target: 'old' })
    chmodSync('target', 0o640)
    symlinkSync('target', 'link')
    writeAtomically('link', 'new')
    expect(readFileSync('target', 'utf8')).toBe('new')
    expect(statSync('target').mode & 0o777).toBe(0o640)
    expect(readdirSync('.').sort()).toEqual(['link', 'target'])
  })

  test.runIf(existsSync('/proc/self'))('a folder that lets nothing be made in it is told', () => {
    expect(() => writeFolder('/proc/self/deep/er', new Map())).toThrow('X014: cannot write `/proc/self/deep`')
    writeFolder('deep/er', new Map([['a', 'new']]))
    expect(readFileSync('deep/er/a', 'utf8')).toBe('new')
  })

  test('a device is written to, not replaced', () => {
    writeAtomically('/dev/null', 'text')
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
  })

  test('when one file of a folder cannot be written, none is', () => {
    write({ 'run/a': 'old' })
    mkdirSync('run/b')
    const files = new Map([
      ['a', 'new'],
      ['b', 'new'],
    ])
    expect(() => writeFolder('run', files)).toThrow('X014')
    expect(readFileSync('run/a', 'utf8')).toBe('old')
    expect(readdirSync('run').sort()).toEqual(['a', 'b'])
  })
})
