import fc from 'fast-check'
import type { Clause, Decl, Exp, Name, Program, Stmt, TypeExp } from '../../src/syntax/ast.js'
import { reservedWords } from '../../src/syntax/words.js'

/** Random programs as trees, without comments and places: every form, in every place where it may stand. */
const source = { path: 'random.smc', text: '' }
const span = { source, start: 0, end: 0 }
type Arb<T> = fc.Arbitrary<T>

const identifier = fc.constantFrom(
  'a',
  'b',
  'story',
  'tokens',
  'model',
  'up',
  'to',
  'blocks',
  'of',
  'from',
  'use',
  'é',
  '_x',
  'x1',
  'infer',
  'every',
)
const anyWord = fc.oneof(identifier, fc.constantFrom(...reservedWords))
const name: Arb<Name> = identifier.map((text) => ({ text, span }))
const field: Arb<Name> = anyWord.map((text) => ({ text, span }))
const chunk = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('a', ' ', '\n', '"', '\\', '{', '}', '\t', '\r', '/', "'"), maxLength: 12 }),
)

function string(exp: Arb<Exp>, holes: boolean): Arb<Exp & { kind: 'String' }> {
  const part = holes
    ? fc.oneof({ weight: 3, arbitrary: chunk as Arb<string | Exp> }, { weight: 1, arbitrary: exp as Arb<string | Exp> })
    : (chunk as Arb<string | Exp>)
  return fc.record({ long: fc.boolean(), given: fc.array(part, { maxLength: 4 }) }).map(({ long, given }) => {
    const parts: (string | Exp)[] = []
    for (const each of given) {
      if (each === '') continue
      if (typeof each === 'string' && typeof parts.at(-1) === 'string') parts[parts.length - 1] = `${parts.at(-1)}${each}`
      else parts.push(each)
    }
    return { kind: 'String', long, parts, span }
  })
}

const numbers: Arb<Exp> = fc
  .constantFrom('0', '1', '12', '1.5', '2e3', '1.25E-2', '007')
  .map((text) => ({ kind: 'Number', value: Number(text), text, isInt: /^\d+$/.test(text), span }))

const regex: Arb<Exp> = fc
  .constantFrom('a+', ' [A-Z]', '[/]', '\\/x', '(19|20)[0-9]{2}')
  .map((pattern) => ({ kind: 'Regex', pattern, flags: '', span }))

const leaf: Arb<Exp> = fc.oneof(
  numbers,
  identifier.map((text): Exp => ({ kind: 'Name', text, span })),
  fc.boolean().map((value): Exp => ({ kind: 'Bool', value, span })),
  regex,
)

const operators = ['or', 'and', '==', '!=', '<', '<=', '>', '>=', 'in', '..', '+', '-', '*', '/', '%', '^'] as const

export const { exp, call } = fc.letrec<{ exp: Exp; call: Exp; args: { name?: Name; value: Exp; span: typeof span }[] }>((tie) => {
  const e = tie('exp')
  const args = fc.array(
    fc.record({ name: fc.option(field, { nil: undefined }), value: e }).map((each) => ({
      ...(each.name && { name: each.name }),
      value: each.value,
      span,
    })),
    { maxLength: 3 },
  )
  return {
    args,
    call: fc.record({ head: identifier, field: fc.option(field, { nil: undefined }), args }).map(({ head, field, args }): Exp => {
      const base: Exp = { kind: 'Name', text: head, span }
      return { kind: 'Call', callee: field ? { kind: 'Field', target: base, name: field, span } : base, args, span }
    }),
    exp: fc.oneof(
      { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
      leaf,
      string(e, true),
      tie('call'),
      fc.array(e, { maxLength: 4 }).map((elements): Exp => ({ kind: 'List', elements, span })),
      fc
        .array(
          fc.oneof(
            fc.record({ name: field, quoted: fc.constant(false), value: e, span: fc.constant(span) }),
            fc.record({
              name: chunk.map((text) => ({ text, span })),
              quoted: fc.constant(true),
              value: e,
              span: fc.constant(span),
            }),
          ),
          { maxLength: 3 },
        )
        .map((entries): Exp => ({ kind: 'Record', entries, span })),
      fc
        .record({ condition: e, yes: e, no: e })
        .map(({ condition, yes, no }): Exp => ({ kind: 'IfExp', condition, then: yes, else: no, span })),
      fc
        .record({ params: fc.array(name, { maxLength: 2 }), body: e })
        .map(({ params, body }): Exp => ({ kind: 'Lambda', params, body, span })),
      fc
        .record({ operator: fc.constantFrom('-' as const, 'not' as const), operand: e })
        .map((each): Exp => ({ kind: 'Unary', ...each, span })),
      fc
        .record({ operator: fc.constantFrom(...operators), left: e, right: e })
        .map((each): Exp => ({ kind: 'Binary', ...each, span })),
      fc.record({ callee: e, args }).map((each): Exp => ({ kind: 'Call', ...each, span })),
      fc.record({ target: e, index: e }).map((each): Exp => ({ kind: 'Index', ...each, span })),
      fc.record({ target: e, name: field }).map((each): Exp => ({ kind: 'Field', ...each, span })),
    ) as Arb<Exp>,
  }
})

const type: Arb<TypeExp> = fc.letrec<{ type: TypeExp }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    fc.constantFrom('Int', 'String', 'Context').map((text): TypeExp => ({ kind: 'NamedType', name: text, span })),
    tie('type').map((element): TypeExp => ({ kind: 'ListType', element, span })),
    fc
      .array(fc.record({ name: field, type: tie('type') }), { maxLength: 2 })
      .map((fields): TypeExp => ({ kind: 'RecordType', fields, span })),
    tie('type').map((argument): TypeExp => ({ kind: 'GenericType', name: 'Dist', argument, span })),
  ),
})).type

const plain = string(leaf, false)
const settings = fc
  .array(fc.record({ name: field, quoted: fc.constant(false), value: exp, span: fc.constant(span) }), { maxLength: 3 })
  .map((entries) => ({ kind: 'Record' as const, entries, span }))

/** An object without the keys that are undefined. */
function optional<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T
}
const maybe = <T>(arb: Arb<T>): Arb<T | undefined> => fc.option(arb, { nil: undefined })

const formal = fc.record({ name, type: maybe(type), default: maybe(exp) }).map((each) => optional({ ...each, span }))
const formals = fc.array(formal, { maxLength: 3 })

const clause = fc
  .oneof(
    fc.record({ kind: fc.constantFrom('Exactly', 'UpTo', 'Within', 'ResamplingEvery'), count: exp }),
    fc.record({ kind: fc.constant('Until'), stop: exp }),
    fc.record({ kind: fc.constant('Matching'), pattern: exp }),
    fc.record({ kind: fc.constant('Where'), predicate: exp }),
    fc.record({ kind: fc.constant('Via'), proposal: exp, block: maybe(exp) }),
    fc.record({ kind: fc.constant('TwistedBy'), twist: exp }),
  )
  .map((each) => optional({ ...each, span }) as unknown as Clause)
const rank: Record<string, number> = { Exactly: 0, UpTo: 0, Within: 0 }

const step = fc.oneof(
  field.map((each) => ({ kind: 'FieldStep' as const, name: each, span })),
  exp.map((index) => ({ kind: 'IndexStep' as const, index, span })),
)

const { stmt, block } = fc.letrec((tie) => ({
  block: fc.array(tie('stmt') as Arb<Stmt>, { maxLength: 3 }).map((statements) => ({ statements, span })),
  if: fc
    .record({ condition: exp, yes: tie('block'), no: maybe(fc.oneof({ maxDepth: 2 }, tie('block'), tie('if'))) })
    .map(({ condition, yes, no }) => optional({ kind: 'If', condition, then: yes, else: no, span }) as unknown as Stmt),
  stmt: fc
    .oneof(
      { maxDepth: 3, depthSize: 'small' },
      fc.record({ kind: fc.constant('Let'), name, type: maybe(type), value: exp }),
      fc.record({
        kind: fc.constant('Assign'),
        name,
        path: fc.array(step, { maxLength: 2 }),
        operator: fc.constantFrom('=', '+='),
        value: exp,
      }),
      fc.record({
        kind: fc.constant('Sample'),
        name,
        from: exp,
        clauses: fc.uniqueArray(clause, { maxLength: 4, selector: (each) => rank[each.kind] ?? each.kind }),
      }),
      fc.record({ kind: fc.constantFrom('Observe', 'Force'), value: exp, from: exp }),
      fc.record({ kind: fc.constantFrom('Factor', 'Twist'), value: exp }),
      fc.record({ kind: fc.constant('Require'), condition: exp }),
      fc.record({ kind: fc.constantFrom('Untwist', 'Resample', 'Break', 'Continue') }),
      fc.record({ kind: fc.constant('Return'), value: maybe(exp) }),
      fc.record({ kind: fc.constant('Do'), call }),
      tie('if') as Arb<Stmt>,
      fc.record({ kind: fc.constant('For'), name, in: exp, body: tie('block') }),
      fc.record({ kind: fc.constant('While'), condition: exp, body: tie('block') }),
      fc.record({ kind: fc.constant('Repeat'), count: exp, body: tie('block') }),
    )
    .map((each) => optional({ ...each, span }) as unknown as Stmt),
}))

const decl: Arb<Decl> = fc
  .oneof(
    fc.record({ kind: fc.constantFrom('ModelDecl', 'ClassifierDecl'), name, id: plain }),
    fc.record({ kind: fc.constant('ParamDecl'), name, type: maybe(type), default: maybe(exp) }),
    fc.record({ kind: fc.constant('InferDecl'), settings }),
    fc.record({ kind: fc.constant('LearnTwistDecl'), name, params: formals, settings: maybe(settings) }),
    fc.record({ kind: fc.constant('FnDecl'), name, params: formals, result: maybe(type), body: block }),
    fc.record({ kind: fc.constant('ExternDecl'), name, params: formals, result: type, from: plain }),
    fc.record({ kind: fc.constant('UseDecl'), names: fc.array(name, { minLength: 1, maxLength: 3 }), from: plain }),
  )
  .map((each) => optional({ ...each, span }) as unknown as Decl)

export const program: Arb<Program> = fc
  .array(fc.oneof(decl as Arb<Decl | Stmt>, stmt as Arb<Decl | Stmt>), { maxLength: 6 })
  .map((items) => ({ source, items, comments: [], span }))
