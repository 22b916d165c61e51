import { statSync } from 'node:fs'
import { commandError, reason } from './errors.js'

/** Fails with exit code 2 when the program that the command line names cannot be read at all. */
export function requireProgram(path: string): void {
  try {
    if (!statSync(path).isDirectory()) return
  } catch (error) {
    const hint = path.endsWith('.smc') ? undefined : 'the names of programs end in .smc'
    throw commandError('X013', `cannot read the program \`${path}\`: ${reason(error)}`, hint)
  }
  throw commandError('X013', `cannot read the program \`${path}\`: it is a folder`, 'name the .smc file in it')
}
