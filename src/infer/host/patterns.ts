import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Diagnostic, SmcError } from '../../diagnostics/diagnostic.js'
import type { Span } from '../../diagnostics/span.js'
import { automatonPattern } from '../../patterns/automaton-pattern.js'
import { fewestTokens } from '../../patterns/fewest-tokens.js'
import { ebnfAutomaton } from '../../patterns/grammar.js'
import type { ByteAutomaton, Pattern, PatternState } from '../../patterns/pattern.js'
import { regexAutomaton } from '../../patterns/regex.js'
import { schemaAutomaton } from '../../patterns/schema.js'
import type { Context, ModelValue, Product, Value } from '../values.js'
import type { Contexts } from './contexts.js'
import type { Fail } from './failure.js'
import { toJson } from './json.js'
import { parseJsonFile } from './json-file.js'
import type { operators } from './operators.js'

/** A pattern of `json(...)` or `grammar(...)`, not yet made for a vocabulary. */
class PatternText {
  constructor(
    readonly key: string,
    readonly automaton: () => ByteAutomaton,
    /** The file that it was read from. */
    readonly file: string | null,
  ) {}
}

/** What stands behind `matching` (language.md §6). Each pattern is made once a run, and once for each vocabulary. */
export function matching(fail: Fail, op: ReturnType<typeof operators>, contexts: Contexts, sites: readonly Span[]) {
  const automata = new Map<string, ByteAutomaton>()
  const made = new Map<string, Pattern>()

  function fileText(path: Value, program: string, site: number): { readonly file: string; readonly text: string } {
    const name = op.text(path) ?? ''
    const file = resolve(dirname(program), name)
    try {
      return { file: name, text: readFileSync(file, 'utf8') }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message
      return fail('R023', site, `cannot read \`${name}\`: ${reason}`, 'the path is relative to the file that names it')
    }
  }

  function textOf(value: Value, site: number): PatternText {
    if (value instanceof PatternText) return value
    if (value instanceof RegExp)
      return new PatternText(`regex ${value.flags} ${value.source}`, () => regexAutomaton(value.source, value.flags), null)
    return fail('R005', site, 'expected a pattern after `matching`')
  }

  function automatonOf(pattern: PatternText, site: number): ByteAutomaton {
    let automaton = automata.get(pattern.key)
    if (!automaton) automata.set(pattern.key, (automaton = placed(pattern, site, pattern.automaton)))
    return automaton
  }

  function patternFor(value: Value, model: ModelValue, site: number): Pattern {
    const text = textOf(value, site)
    const key = `${model.vocabulary.identity} ${text.key}`
    let pattern = made.get(key)
    if (!pattern) {
      const automaton = automatonOf(text, site)
      made.set(key, (pattern = placed(text, site, () => automatonPattern(automaton, model.vocabulary))))
    }
    return pattern
  }

  /** Errors of a pattern know the place in the pattern: they get the place in the program as well. */
  function placed<T>(pattern: PatternText, site: number, make: () => T): T {
    try {
      return make()
    } catch (error) {
      if (!(error instanceof SmcError)) throw error
      throw new SmcError(
        error.diagnostics.map((d) => located(d, pattern, sites[site]!)),
        error.blame,
      )
    }
  }

  /** The only vocabulary that a pattern of this program can be about; null where there are several. */
  function onlyModel([first, ...others]: readonly ModelValue[]): ModelValue | null {
    return first && others.every(({ vocabulary }) => vocabulary.identity === first.vocabulary.identity) ? first : null
  }

  return {
    pattern_json(value: Value, program: string, site: number): PatternText {
      const named = op.text(value)
      if (named === null) {
        const schema = toJson(value, fail, site)
        return new PatternText(`json ${JSON.stringify(schema)}`, () => schemaAutomaton(schema), null)
      }
      const { file, text } = fileText(value, program, site)
      return new PatternText(`json ${text}`, () => schemaAutomaton(parseJsonFile(text, file)), file)
    },
    pattern_grammar(value: Value, program: string, site: number): PatternText {
      const { file, text } = fileText(value, program, site)
      return new PatternText(`grammar ${text}`, () => ebnfAutomaton(text), file)
    },
    /** Before the run: throws where a pattern is malformed or nothing fits it, or no token of the only vocabulary can begin. */
    prepare(value: Value, models: readonly ModelValue[], site: number): void {
      const model = onlyModel(models)
      if (model) patternFor(value, model, site)
      else automatonOf(textOf(value, site), site)
    },
    automaton: (value: Value, site: number): ByteAutomaton => automatonOf(textOf(value, site), site),
    /** Before the run: throws where the only vocabulary spells no text that fits, or none of at most `limit` tokens. */
    requireFit(value: Value, limit: Value, models: readonly ModelValue[], site: number): void {
      const model = onlyModel(models)
      if (!model) return
      const { tokens, exact } = fewestTokens(automatonOf(textOf(value, site), site), model.vocabulary)
      if (tokens === Number.POSITIVE_INFINITY)
        fail(
          'P002',
          site,
          'the tokens of the model spell no text that fits this pattern',
          'change the pattern, or take another model',
        )
      if (typeof limit !== 'number' || limit >= tokens) return
      const needed = `${exact ? '' : 'at least '}${tokens}`
      fail(
        'P009',
        site,
        `no text of ${limit} token${limit === 1 ? '' : 's'} fits this pattern: the shortest has ${needed}`,
        `allow ${tokens} tokens or more`,
      )
    },
    begin: (value: Value, c: Context | Product, site: number): PatternState =>
      patternFor(value, contexts.streamOf(c).model, site).start,
    /** Whether the text can only stop here. */
    complete: (state: PatternState): boolean => state.accepting && state.allowed.count === 0,
  }
}

/** A regular expression stands in the program itself; a grammar in a file has a text of its own; a schema has paths in its message. */
function located(d: Diagnostic, { file }: PatternText, span: Span): Diagnostic {
  const inside = d.span
  if (!inside) return { ...d, span }
  if (inside.source.path === 'the pattern') {
    const literal = span.source.text[span.start] === '/'
    return literal
      ? { ...d, span: { ...span, start: span.start + 1 + inside.start, end: span.start + 1 + inside.end } }
      : { ...d, span }
  }
  const source = { ...inside.source, path: file ?? inside.source.path }
  return { ...d, span: { ...inside, source }, notes: [...d.notes, { message: 'it is asked for here', span }] }
}
