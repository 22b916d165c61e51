import { readdir, readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'

/**
 * The cache that Hugging Face's own libraries share (https://huggingface.co/docs/huggingface_hub/guides/manage-cache): for each model a folder
 * with `blobs` (files by their hash), `snapshots` (a folder of links for each commit) and `refs` (names of commits).
 */
export function cacheFolder(): string {
  const { HF_HUB_CACHE, HF_HOME } = process.env
  return HF_HUB_CACHE || join(HF_HOME || join(homedir(), '.cache', 'huggingface'), 'hub')
}

/** Folder of one model in the cache. */
export function modelFolder(id: string): string {
  return join(cacheFolder(), `models--${id.replaceAll('/', '--')}`)
}

/** Ids of the models in the cache. */
export async function cachedIds(): Promise<string[]> {
  const names = await readdir(cacheFolder()).catch(() => [])
  return names.filter((name) => name.startsWith('models--')).map((name) => name.slice('models--'.length).replaceAll('--', '/'))
}

/** The snapshot of a model that `main` names, else any other, that holds all files of `needs`; null when there is none. */
export async function cachedSnapshot(id: string, needs: readonly (string | readonly string[])[]): Promise<string | null> {
  const root = modelFolder(id)
  const main = (await readFile(join(root, 'refs', 'main'), 'utf8').catch(() => '')).trim()
  const others = (await readdir(join(root, 'snapshots')).catch(() => [])).sort()
  for (const name of main ? [basename(main), ...others] : others) {
    const folder = join(root, 'snapshots', name)
    const held = await Promise.all(needs.map((need) => anyExists(folder, typeof need === 'string' ? [need] : need)))
    if (held.every(Boolean)) return folder
  }
  return null
}

async function anyExists(folder: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) if ((await stat(join(folder, name)).catch(() => null))?.isFile()) return true
  return false
}
