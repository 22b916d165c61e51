import { readFileSync } from 'node:fs'
import { freemem, totalmem } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Bytes of memory that this process can still take. On Linux what the kernel says can be had without swapping, caches of files included, and
 * no more than the control groups of the process leave it (versions 1 and 2). Elsewhere the free memory, which leaves out caches that would
 * make room, but at least half of all there is.
 * @param root where the files of the system begin; tests lay their own there
 */
export function freeBytes(root = '/'): number {
  const available = /^MemAvailable: +(\d+) kB/m.exec(textOf(join(root, 'proc/meminfo')))?.[1]
  if (available === undefined) return Math.max(freemem(), totalmem() / 2)
  return Math.max(0, Math.min(1024 * Number(available), ...groupsOf(root).map(leftIn)))
}

/** A control group that may limit the memory, as a folder, and the names of its files. */
interface Group {
  readonly folder: string
  readonly limit: string
  readonly used: string
  /** Of the caches of files in use, which of them could go. */
  readonly reclaimable: RegExp
}

/** The groups of this process and those around them. A container may not see its own path, only the top, which is then its own. */
function groupsOf(root: string): Group[] {
  const found: Group[] = []
  for (const line of textOf(join(root, 'proc/self/cgroup')).split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) continue
    const second = controllers === ''
    if (!second && !controllers.split(',').includes('memory')) continue
    const top = join(root, 'sys/fs/cgroup', second ? '' : 'memory')
    for (let at = path; ; at = dirname(at)) {
      const folder = join(top, at)
      if (second) found.push({ folder, limit: 'memory.max', used: 'memory.current', reclaimable: /^inactive_file (\d+)/m })
      else
        found.push({
          folder,
          limit: 'memory.limit_in_bytes',
          used: 'memory.usage_in_bytes',
          reclaimable: /^total_inactive_file (\d+)/m,
        })
      if (at === '/') break
    }
  }
  return found
}

/** Infinity where the group has no limit, or is not there. */
function leftIn({ folder, limit, used, reclaimable }: Group): number {
  const most = number(textOf(join(folder, limit)))
  const taken = number(textOf(join(folder, used)))
  if (most === null || taken === null) return Number.POSITIVE_INFINITY
  const cached = Number(reclaimable.exec(textOf(join(folder, 'memory.stat')))?.[1] ?? 0)
  return most - taken + Math.min(cached, taken)
}

function number(text: string): number | null {
  return /^\d+\s*$/.test(text) ? Number(text) : null
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
