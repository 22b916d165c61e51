import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { inEmptyFolder } from './console.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = join(root, 'dist', 'cli', 'main.js')
inEmptyFolder()

beforeAll(() => {
  execFileSync(
    process.execPath,
    [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json', '--noCheck'],
    {
      cwd: root,
    },
  )
}, 120_000)

const shell = (line: string) =>
  spawnSync('sh', ['-c', line.replaceAll('smcc', `"${process.execPath}" "${bin}"`)], { encoding: 'utf8' })

test('runs through the link that npm makes', () => {
  symlinkSync(bin, 'smcc')
  const told = spawnSync(process.execPath, ['smcc', '--version'], { encoding: 'utf8' })
  expect([told.status, told.stderr]).toEqual([0, ''])
  expect(told.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('an extern function in TypeScript is to be made JavaScript first', () => {
  writeFileSync('typed.ts', 'enum A { B = 1 }\nexport const f = (xs: number[]): number[] => xs.map(() => A.B)\n')
  writeFileSync('p.smc', 'extern fn f(x: Int) -> Int from "./typed.ts"\nreturn f(1)\n')
  const told = shell('smcc run p.smc --allow-extern')
  expect([told.status, told.stderr]).toEqual([1, expect.stringContaining('make JavaScript of it first, as with `npx tsc`')])
})

test('a closed pipe is nothing to speak of', () => {
  expect(shell('smcc explain | head -n 1')).toMatchObject({ status: 0, stderr: '' })
})

test.skipIf(!existsSync('/dev/full'))('a full disk is', () => {
  expect(shell('smcc explain > /dev/full')).toMatchObject({
    status: 2,
    stderr: 'error X014: cannot write the result: the disk is full\n',
  })
})

test('exit codes reach the shell', () => {
  expect(shell('smcc run missing.smc')).toMatchObject({ status: 2, stdout: '' })
})
