import { expect, test } from 'vitest'
import { DownloadLine } from '../../src/cli/download-line.js'
import type { Io } from '../../src/cli/io.js'

function written(isTTY: boolean, report: (line: DownloadLine) => void): string {
  let text = ''
  const stderr = { isTTY, columns: undefined, write: (more: string) => void (text += more) }
  report(new DownloadLine({ stderr } as Io))
  return text
}

const report = (line: DownloadLine) => {
  for (const received of [1, 2, 2 ** 20]) line.update({ file: 'a.bin', received, size: 2 ** 20 })
  line.update({ file: 'b.bin', received: 0, size: 0 })
  line.clear()
}

test('a terminal shows one line that is rewritten and taken away', () => {
  const text = written(true, report)
  expect(text).toContain('\rdownloading a.bin: 1.0 of 1.0 MiB, 100 %')
  expect(text).not.toContain('\n')
  expect(text).toMatch(/\r +\r$/)
})

test('elsewhere each file is told once', () => {
  expect(written(false, report)).toBe('downloading a.bin (1.0 MiB)\ndownloading b.bin (0.0 MiB)\n')
})
