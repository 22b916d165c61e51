import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isManifest, readFolder } from '../report/folder.js'
import { htmlPage } from '../report/html.js'
import { commandError, exitCodes, reason } from './errors.js'
import type { Io } from './io.js'
import { writeAtomically } from './output.js'

/** `smcc report`: builds `report.html` again from the folder of an earlier run, and prints its path. */
export async function report(folder: string, io: Io): Promise<number> {
  const page = join(folder, 'report.html')
  writeAtomically(page, rebuilt(folder))
  io.stdout.write(`${page}\n`)
  return exitCodes.done
}

function rebuilt(folder: string): string {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw commandError('X017', `there is no folder \`${folder}\``, 'name the folder that `smcc run --out` wrote')
  const text = (name: string) => {
    try {
      return readFileSync(join(folder, name), 'utf8')
    } catch (error) {
      throw commandError(
        'X017',
        `cannot read \`${join(folder, name)}\`: ${reason(error)}`,
        'name the folder that `smcc run --out` wrote',
      )
    }
  }
  const texts = { manifest: text('manifest.json'), particles: text('particles.jsonl'), steps: text('steps.jsonl') }
  try {
    if (isManifest(JSON.parse(texts.manifest))) return htmlPage(readFolder(texts))
  } catch (error) {
    throw commandError('X017', `the run in \`${folder}\` is damaged: ${reason(error)}`, 'run the program again with `--out`')
  }
  throw commandError('X017', `\`${folder}\` does not hold a run that this version can read`, 'run the program again with `--out`')
}
