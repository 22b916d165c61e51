import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Graph } from './graph.js'
import { writeOnnx } from './onnx.js'

/** The file of a saved graph that `Session.openFile` takes, beside the one with its weights. */
export const graphFile = 'graph.onnx'
const weightsFile = 'weights.bin'

/**
 * Writes a graph into a folder that exists: `graph.onnx`, and its large weights in `weights.bin`. It can be opened at once, but the system may
 * still hold the bytes in memory: before the folder is called whole they must be flushed. Throws what the file system throws.
 */
export async function saveOnnx(graph: Graph, folder: string): Promise<void> {
  const { bytes, external } = writeOnnx(graph, weightsFile)
  const file = await open(join(folder, weightsFile), 'w')
  try {
    for (const { offset, data } of external) {
      for (let done = 0; done < data.length; ) {
        done += (await file.write(data, done, Math.min(data.length - done, 1 << 30), offset + done)).bytesWritten
      }
    }
  } finally {
    await file.close()
  }
  await writeFile(join(folder, graphFile), bytes)
}

/** Bytes that `saveOnnx` writes, but for the graph itself and the gaps between weights. */
export function savedBytes(graph: Graph): number {
  return graph.weights.reduce((total, { data }) => total + data.byteLength, 0)
}
