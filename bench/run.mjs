// Compiles a benchmark with the sources it measures, lays the package's other files beside them, and runs it: node bench/run.mjs engine [ARGS...]
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const out = join(root, 'node_modules', '.cache', 'bench')
const [name, ...args] = process.argv.slice(2)
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
mkdirSync(out, { recursive: true })
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.json', '--noEmit', 'false', '--declaration', 'false', '--outDir', out], {
  cwd: root,
  stdio: 'inherit',
})
execFileSync(process.execPath, [join(root, 'scripts', 'recipe.mjs'), join(out, 'src')])
for (const beside of ['grammar', 'models', 'stdlib', 'package.json']) {
  if (!existsSync(join(out, beside))) symlinkSync(join(root, beside), join(out, beside))
}
const { status } = spawnSync(process.execPath, [join(out, 'bench', `${name}.js`), ...args], { cwd: root, stdio: 'inherit' })
process.exitCode = status ?? 1
