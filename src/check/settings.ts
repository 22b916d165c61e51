import { suggest } from '../diagnostics/suggest.js'
import type { Exp, InferDecl, RecordExp } from '../syntax/ast.js'
import type { Checker } from './checker.js'

/** One setting of `infer`, named as the long flag of `run` (cli.md). */
type Setting =
  | { readonly kind: 'whole'; readonly least: number; readonly most?: number }
  | { readonly kind: 'share' }
  | { readonly kind: 'positive' }
  | { readonly kind: 'switch' }
  | { readonly kind: 'word'; readonly words: readonly string[] }

/** Copies of one particle: beyond this it is a slip of the finger. */
export const mostExpansion = 1000
/** The same for sweeps, each of which costs a run. */
export const mostSweeps = 1_000_000

export const methodNames = ['smc', 'importance', 'steer', 'gibbs'] as const

export const inferSettings: ReadonlyMap<string, Setting> = new Map<string, Setting>([
  ['particles', { kind: 'whole', least: 1 }],
  ['seed', { kind: 'whole', least: 0 }],
  ['method', { kind: 'word', words: methodNames }],
  ['resample', { kind: 'word', words: ['systematic', 'stratified', 'residual', 'multinomial'] }],
  ['threshold', { kind: 'share' }],
  ['expansion', { kind: 'whole', least: 1, most: mostExpansion }],
  ['sweeps', { kind: 'whole', least: 1, most: mostSweeps }],
  ['fuse', { kind: 'switch' }],
  ['twist', { kind: 'switch' }],
  ['batch', { kind: 'whole', least: 1 }],
  ['maxMemory', { kind: 'positive' }],
])

/** Settings that only some methods read. Importance sampling is SMC that never resamples, and passes them over. */
export const readers: ReadonlyMap<string, readonly string[]> = new Map([
  ['expansion', ['steer']],
  ['sweeps', ['gibbs']],
  ['threshold', ['smc', 'importance', 'gibbs']],
  ['resample', ['smc', 'importance', 'gibbs']],
])

/** Ways to exact samples of a target, by name, in the order in which they are tried. */
export const exactWays = ['enumerate', 'reject', 'simulate'] as const
/** Where samples of the target may come from in training, by name. */
export const positiveWays = ['smc', 'exact', ...exactWays] as const

const learnWords: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['loss', ['ctl', 'rl', 'pcl', 'sixo', 'fudge', 'dpg']],
  ['positives', positiveWays],
])
const learnWhole = new Set(['width', 'depth', 'steps', 'batch', 'iterate', 'replay'])
const learnNumbers = new Set(['rate', 'l2', 'trust'])
const learnSwitches = new Set(['valueHead'])
const learnSettings = [...learnWords.keys(), ...learnWhole, ...learnNumbers, ...learnSwitches]

/** `infer { particles: 64, resample: systematic }`: names and values known before the run. */
export function checkInfer(checker: Checker, settings: RecordExp): void {
  checkTwice(checker, settings)
  checkReaders(checker, settings)
  for (const { name, value } of settings.entries) {
    const setting = inferSettings.get(name.text)
    if (setting) {
      const wanted = wantedBy(setting, value)
      if (wanted !== undefined) wrongValue(checker, name.text, value, wanted, setting.kind === 'word' ? setting.words : [])
      continue
    }
    const close = suggest(name.text, [...inferSettings.keys()])
    checker.report('C090', name.span, `there is no setting \`${name.text}\``, {
      hint: close ? `did you mean \`${close}\`?` : `the settings are ${[...inferSettings.keys()].join(', ')}`,
    })
  }
}

/** `learn twist ... { loss: ctl, width: 128 }`: how it is fitted. */
export function checkLearn(checker: Checker, settings: RecordExp): void {
  checkTwice(checker, settings)
  for (const { name, value } of settings.entries) {
    const words = learnWords.get(name.text)
    const wanted = words
      ? wantedBy({ kind: 'word', words }, value)
      : learnWhole.has(name.text)
        ? wantedBy({ kind: 'whole', least: 1 }, value)
        : learnSwitches.has(name.text)
          ? wantedBy({ kind: 'switch' }, value)
          : learnNumbers.has(name.text) && (numberOf(value) ?? -1) >= 0
            ? undefined
            : 'a number from 0'
    if (!learnSettings.includes(name.text)) {
      const close = suggest(name.text, learnSettings)
      checker.report('C090', name.span, `there is no setting \`${name.text}\``, {
        hint: close ? `did you mean \`${close}\`?` : `the settings are ${learnSettings.join(', ')}`,
      })
      continue
    }
    if (wanted !== undefined) wrongValue(checker, name.text, value, wanted, words ?? [])
  }
}

/** A setting that the method of this program does not read is a mistake, not a wish to be passed over. */
function checkReaders(checker: Checker, { entries }: RecordExp): void {
  const given = entries.find(({ name }) => name.text === 'method')?.value
  const method = given === undefined ? 'smc' : wordOf(given)
  if (method === undefined || !methodNames.some((each) => each === method)) return
  const particles = entries.find(({ name }) => name.text === 'particles')?.value
  if (method === 'gibbs' && particles && numberOf(particles) === 1)
    wrongValue(checker, 'particles', particles, 'a whole number from 2, of which `gibbs` keeps one', [])
  for (const { name } of entries) {
    const methods = readers.get(name.text)
    if (!methods || methods.includes(method)) continue
    checker.report('C092', name.span, `the method \`${method}\` does not read \`${name.text}\``, {
      hint:
        methods.length === 1
          ? `write \`method: ${methods[0]}\`, or leave it out`
          : 'leave it out: `steer` resamples where more particles live than were asked for',
    })
  }
}

/** What the setting wants, where the value is something else. */
function wantedBy(setting: Setting, value: Exp): string | undefined {
  const number = numberOf(value)
  switch (setting.kind) {
    case 'whole':
      return number !== undefined && Number.isInteger(number) && number >= setting.least && number <= (setting.most ?? Infinity)
        ? undefined
        : `a whole number from ${setting.least}${setting.most === undefined ? '' : ` to ${setting.most}`}`
    case 'share':
      return number !== undefined && number >= 0 && number <= 1 ? undefined : 'a number from 0 to 1'
    case 'positive':
      return number !== undefined && number > 0 ? undefined : 'a number above 0'
    case 'switch':
      return value.kind === 'Bool' ? undefined : '`true` or `false`'
    case 'word': {
      const word = wordOf(value)
      return word !== undefined && setting.words.includes(word)
        ? undefined
        : `one of ${setting.words.map((each) => `\`${each}\``).join(', ')}`
    }
    default:
      return setting satisfies never
  }
}

function wrongValue(checker: Checker, name: string, value: Exp, wanted: string, words: readonly string[]): void {
  const close = value.kind === 'Name' ? suggest(value.text, words) : undefined
  checker.report('C091', value.span, `expected ${wanted} for \`${name}\``, {
    hint: close ? `did you mean \`${close}\`?` : 'settings are written out, for they are known before the run',
  })
}

function checkTwice(checker: Checker, settings: RecordExp): void {
  const seen = new Set<string>()
  for (const { name } of settings.entries) {
    if (seen.has(name.text))
      checker.report('C031', name.span, `\`${name.text}\` is given twice`, { hint: 'leave one of them out' })
    seen.add(name.text)
  }
}

function numberOf(value: Exp): number | undefined {
  if (value.kind === 'Number') return value.value
  if (value.kind === 'Unary' && value.operator === '-' && value.operand.kind === 'Number') return -value.operand.value
  return undefined
}

function wordOf(value: Exp): string | undefined {
  return value.kind === 'Name' ? value.text : textOf(value)
}

function textOf(value: Exp): string | undefined {
  return value.kind === 'String' && value.parts.every((part) => typeof part === 'string') ? value.parts.join('') : undefined
}

/** What the `infer` of a program sets, by name. */
export function writtenSettings(declared: readonly InferDecl[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(declared.flatMap((d) => d.settings.entries.map((e) => [e.name.text, constant(e.value)])))
}

/** A setting as written: a number, `true`, `false`, or a bare word. */
function constant(e: Exp): unknown {
  switch (e.kind) {
    case 'Number':
    case 'Bool':
      return e.value
    case 'Name':
      return e.text
    case 'String':
      return e.parts.join('')
    default:
      return undefined
  }
}
