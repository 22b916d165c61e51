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
  for (const folder of await snapshots(id)) {
    const held = await Promise.all(needs.map((need) => anyExists(folder, typeof need === 'string' ? [need] : need)))
    if (held.every(Boolean)) return folder
  }
  return null
}

/** The .gguf files of a model in the cache, by their names on the hub, each in the snapshot that `cachedSnapshot` gives. */
export async function cachedGgufs(id: string): Promise<{ readonly name: string; readonly path: string }[]> {
  const found = new Map<string, string>()
  for (const folder of await snapshots(id)) {
    const names = await readdir(folder, { recursive: true }).catch(() => [])
    for (const name of names.filter((entry) => entry.endsWith('.gguf')).sort()) {
      if (!found.has(name) && (await anyExists(folder, [name]))) found.set(name, join(folder, name))
    }
  }
  return [...found].map(([name, path]) => ({ name: name.replaceAll('\\', '/'), path }))
}

/** The folders of all commits that are there, the one that `main` names first. */
async function snapshots(id: string): Promise<string[]> {
  const root = modelFolder(id)
  const main = (await readFile(join(root, 'refs', 'main'), 'utf8').catch(() => '')).trim()
  const others = (await readdir(join(root, 'snapshots')).catch(() => [])).sort()
  return (main ? [basename(main), ...others] : others).map((name) => join(root, 'snapshots', name))
}

async function anyExists(folder: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) if ((await isFile(folder, name)) && (await hasShards(folder, name))) return true
  return false
}

async function isFile(folder: string, name: string): Promise<boolean> {
  return (await stat(join(folder, name)).catch(() => null))?.isFile() ?? false
}

/** Whether all files are there that an index of shards names: another program may have been stopped while it fetched them. */
async function hasShards(folder: string, name: string): Promise<boolean> {
  if (!name.endsWith('.index.json')) return true
  const text = await readFile(join(folder, name), 'utf8').catch(() => '')
  const shards = [...new Set(text.match(/"[^"\\/]+\.safetensors"/g) ?? [])].map((quoted) => quoted.slice(1, -1))
  return (await Promise.all(shards.map((shard) => isFile(folder, shard)))).every(Boolean)
}
