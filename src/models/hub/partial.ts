import { readdir, rename, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** Milliseconds between two looks at what another process does, and after which a file that does not grow is not waited for. */
const pace = 200
const patience = 30_000

const host = hostname().replace(/[^\w-]/g, '_')

/**
 * The file in which this process gathers the bytes of `path` until they are whole: PATH.HOST.PID.incomplete, one for each process, because two
 * that append to one file write nonsense. What a process that has ended left behind is taken over by renaming it, which only one can do.
 * While another process is at work it is waited for, and `onWait` told how much it has; null when it has fetched the whole.
 */
export async function partialFor(path: string, onWait?: (received: number) => void): Promise<string | null> {
  const own = `${path}.${host}.${process.pid}.incomplete`
  for (;;) {
    const others = (await partials(path)).filter((each) => each.path !== own)
    const busy = others.find(({ pid, touched }) => isAlive(pid) && Date.now() - touched < patience)
    if (!busy) {
      await takeOver(own, others)
      return own
    }
    onWait?.(busy.size)
    await setTimeout(pace)
    if ((await stat(path).catch(() => null))?.isFile()) return null
  }
}

interface Partial {
  readonly path: string
  readonly pid: number
  readonly size: number
  /** Milliseconds since 1970. */
  readonly touched: number
}

/** What processes of this machine have of a file; those of others cannot be asked whether they live. */
async function partials(path: string): Promise<Partial[]> {
  const start = `${basename(path)}.${host}.`
  const found: Partial[] = []
  for (const name of await readdir(dirname(path))) {
    const pid = name.startsWith(start) ? /^(\d+)\.incomplete$/.exec(name.slice(start.length))?.[1] : undefined
    if (pid === undefined) continue
    const at = join(dirname(path), name)
    const held = await stat(at).catch(() => null)
    if (held) found.push({ path: at, pid: Number(pid), size: held.size, touched: held.mtimeMs })
  }
  return found
}

/** The longest file that a process left when it ended, where this one has none yet. */
async function takeOver(own: string, others: readonly Partial[]): Promise<void> {
  if (await stat(own).catch(() => null)) return
  const left = others.filter(({ pid }) => !isAlive(pid)).sort((a, b) => b.size - a.size)
  for (const { path } of left) {
    const taken = await rename(path, own).then(
      () => true,
      () => false,
    )
    if (taken) return
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    // Somebody else's process may not be sent a signal, but it is there.
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}
