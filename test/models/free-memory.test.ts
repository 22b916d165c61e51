import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freeBytes } from '../../src/models/free-memory.js'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'smcc-memory-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function lay(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

const machine = { 'proc/meminfo': 'MemTotal:       16000000 kB\nMemFree:          100000 kB\nMemAvailable:    8000000 kB\n' }

test('what the kernel says is available, not what is unused', () => {
  lay(machine)
  expect(freeBytes(root)).toBe(8_000_000 * 1024)
})

test('a control group of version 2, its cache of files not counted, and those around it', () => {
  lay({
    ...machine,
    'proc/self/cgroup': '0::/slice/job\n',
    'sys/fs/cgroup/slice/job/memory.max': 'max\n',
    'sys/fs/cgroup/slice/job/memory.current': '900\n',
    'sys/fs/cgroup/slice/memory.max': '5000000\n',
    'sys/fs/cgroup/slice/memory.current': '3000000\n',
    'sys/fs/cgroup/slice/memory.stat': 'anon 2000000\nfile 1000000\ninactive_file 400000\n',
  })
  expect(freeBytes(root)).toBe(2_400_000)
})

test('a control group of version 1, in a container that sees it at the top', () => {
  lay({
    ...machine,
    'proc/self/cgroup': '11:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n0::/\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '3000000\n',
    'sys/fs/cgroup/memory/memory.usage_in_bytes': '1000000\n',
    'sys/fs/cgroup/memory/memory.stat': 'inactive_file 1\ntotal_inactive_file 250000\n',
  })
  expect(freeBytes(root)).toBe(2_250_000)
})

test('a group without a limit leaves what the machine has', () => {
  lay({
    ...machine,
    'proc/self/cgroup': '4:memory:/\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    'sys/fs/cgroup/memory/memory.usage_in_bytes': '1000000\n',
  })
  expect(freeBytes(root)).toBe(8_000_000 * 1024)
})

test('a group that holds more than its limit leaves nothing', () => {
  lay({
    ...machine,
    'proc/self/cgroup': '0::/\n',
    'sys/fs/cgroup/memory.max': '1000\n',
    'sys/fs/cgroup/memory.current': '2000\n',
  })
  expect(freeBytes(root)).toBe(0)
})

test('on other systems at least half of all memory', () => {
  expect(freeBytes(root)).toBeGreaterThanOrEqual(totalmem() / 2)
  expect(freeBytes()).toBeGreaterThan(0)
})
