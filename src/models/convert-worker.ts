/** The thread that converts one graph of a model and writes it to the disk: see `convert.ts`. */
import { workerData } from 'node:worker_threads'
import { savedBytes, saveOnnx } from '../tensor/save.js'
import type { Conversion } from './convert.js'
import { hasRoom } from './graph-cache.js'
import { readHeadGraph } from './head-graph.js'
import { openFiles } from './model-files.js'
import { trunkGraph } from './trunk-graph.js'

const { path, type, name, folder } = workerData as Conversion
const { architecture, weights } = await openFiles(path)
const tensors = architecture.tensors((tensor) => weights.has(tensor))
const build = name === 'head' ? readHeadGraph : trunkGraph
const graph = await build(architecture.shape, tensors, weights, type)
if (!(await hasRoom(folder, savedBytes(graph)))) throw new Error('the disk is too full')
await saveOnnx(graph, folder)
await weights.close()
