import { Worker } from 'node:worker_threads'
import type { WriteGraph } from './graph-cache.js'
import type { ProductType } from './products.js'

/** What `convert-worker.ts` is told. */
export interface Conversion {
  /** The model: a .gguf file, or a folder in the Hugging Face layout. */
  readonly path: string
  readonly type: ProductType
  /** `trunk` or `head`. */
  readonly name: string
  /** Where the graph is written, as `saveOnnx` does. */
  readonly folder: string
}

/**
 * Converts trunk and head of a model, each in a thread of its own, while this one reads the tokenizer and opens sessions. Other graphs, those
 * for devices, it does not know.
 */
export function converter(path: string, type: ProductType): WriteGraph {
  return (name, folder) =>
    new Promise((resolve) => {
      if (name !== 'trunk' && name !== 'head') return resolve(false)
      const conversion: Conversion = { path, type, name, folder }
      const worker = new Worker(new URL('./convert-worker.js', import.meta.url), { workerData: conversion })
      // What is wrong with the model is said where it is converted again.
      worker.on('error', () => resolve(false))
      worker.on('exit', (code) => resolve(code === 0))
    })
}
