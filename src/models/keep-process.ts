/** The process that puts graphs into the cache after the one that wrote them has its answer: `node keep-process.js JSON`, see `graph-cache.ts`. */
import { setPriority } from 'node:os'
import { keep, type Written } from './keep.js'

setPriority(19)
await keep(JSON.parse(process.argv[2]!) as Written[])
