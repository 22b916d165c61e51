import { randomUUID } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { makeFolder } from '../models/cache-folder.js'
import { isManifest } from '../report/folder.js'
import { commandError, reason } from './errors.js'

/** Fails before a long run when its result could not be written to this file afterwards. */
export function requireWritableFile(flag: string, path: string): void {
  if (path.endsWith('.smc'))
    throw commandError('X014', `\`${flag}\` would overwrite the program \`${path}\``, 'name another file')
  const found = present(path)
  if (found?.isDirectory())
    throw commandError('X014', `cannot write \`${path}\`: it is a folder`, `name a file after \`${flag}\``)
  const folder = dirname(resolve(path))
  if (!existsSync(folder))
    throw commandError('X014', `cannot write \`${path}\`: its folder does not exist`, `create \`${dirname(path)}\` first`)
  requireAccess(path, found === undefined || found.isFile() ? folder : path)
}

/**
 * Fails before a long run when `--out` cannot hold its files: the folder is created or empty, or it holds an earlier run,
 * which the new one replaces. Anything else in it is somebody's work.
 */
export function requireWritableFolder(
  flag: string,
  path: string,
  holds: Readonly<{ what: string; in: (path: string) => boolean }> = earlierRun,
): void {
  const found = present(path)
  if (found === undefined) {
    let above = dirname(resolve(path))
    while (!existsSync(above)) above = dirname(above)
    if (!statSync(above).isDirectory())
      throw commandError('X014', `cannot create \`${path}\`: a part of the path is not a folder`)
    requireAccess(path, above)
    return
  }
  if (!found.isDirectory())
    throw commandError('X014', `cannot write into \`${path}\`: it is a file`, `name a folder after \`${flag}\``)
  requireAccess(path, path)
  if (readdirSync(path).length > 0 && !holds.in(path))
    throw commandError('X015', `\`${path}\` holds something that is not ${holds.what}`, 'name a new or an empty folder')
}

const earlierRun = { what: 'an earlier run', in: holdsRun }

/** What stands at the path now; undefined when nothing does. */
export function present(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw commandError('X014', `cannot write \`${path}\`: ${reason(error)}`)
  }
}

function holdsRun(path: string): boolean {
  try {
    return isManifest(JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')))
  } catch {
    return false
  }
}

function requireAccess(path: string, place: string): void {
  try {
    accessSync(place, constants.W_OK)
  } catch (error) {
    throw commandError('X014', `cannot write \`${path}\`: ${reason(error)}`)
  }
}

/** Writes all or nothing: the text goes to a new file beside it, which then takes the name. Keeps the mode and follows links. */
export function writeAtomically(path: string, text: string | Uint8Array): void {
  replaceAll(new Map([[path, text]]))
}

/** Writes the files of a run; every text is on the disk before the first takes its name. */
export function writeFolder(path: string, files: ReadonlyMap<string, string | Uint8Array>): void {
  try {
    makeFolder(resolve(path))
  } catch (error) {
    throw commandError('X014', `cannot write \`${(error as NodeJS.ErrnoException).path ?? path}\`: ${reason(error)}`)
  }
  replaceAll(new Map([...files].map(([name, text]) => [join(path, name), text])))
}

function replaceAll(texts: ReadonlyMap<string, string | Uint8Array>): void {
  const staged: { readonly from: string; readonly to: string }[] = []
  try {
    for (const [path, text] of texts) {
      const found = statSync(path, { throwIfNoEntry: false })
      if (found && !found.isFile()) {
        // A device or a pipe, such as /dev/null: to rename over it would replace it.
        writeFileSync(path, text)
        continue
      }
      const to = found ? realpathSync(path) : path
      const from = join(dirname(to), `.${basename(to)}.${randomUUID()}`)
      staged.push({ from, to })
      writeFileSync(from, text, { flag: 'wx', flush: true })
      if (found) chmodSync(from, found.mode & 0o7777)
    }
    for (const { from, to } of staged) renameSync(from, to)
  } catch (error) {
    for (const { from } of staged) rmSync(from, { force: true })
    throw commandError('X014', `cannot write \`${[...texts.keys()].join('`, `')}\`: ${reason(error)}`)
  }
}
