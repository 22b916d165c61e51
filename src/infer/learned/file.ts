import { diagnostic, SmcError } from '../../diagnostics/diagnostic.js'
import type { Span } from '../../diagnostics/span.js'
import type { LearnTwistDecl } from '../../syntax/ast.js'
import type { ModelValue } from '../values.js'
import { type ConditionKind, type HeadShape, type Layer, layerSizes } from './head.js'
import { type NamedTensors, type ReadTensors, readTensors, writeTensors } from './tensors.js'
import { LearnedTwist, type TrainedHead } from './twist.js'

/**
 * Learned twists as a file, `NAME.twist.safetensors` beside the program: the safetensors format (eight bytes with the length of a JSON header, the
 * header, then 32-bit floats, little-endian), all twists of the program in one. The metadata say what they belong to: hashes of the program, the
 * model and its tokenizer, and the signature of each.
 */
export interface TwistFile {
  /** As it is named in messages. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** A trained twist with what its file tells of it. */
export interface StoredTwist {
  readonly name: string
  readonly signature: string
  /** Identity of the vocabulary. */
  readonly tokenizer: string
  readonly loss: string
  readonly head: TrainedHead
}

/** What a run says of one learned twist. */
export interface LearnedNote {
  readonly name: string
  /** The file that it was read from; null while it is untrained. */
  readonly file: string | null
  readonly loss: string | null
  /** Whether the program has changed since it was trained: any twist is valid, so that is only told. */
  readonly programChanged: boolean
}

const format = 'smcc-twist 3'

export function writeTwists(twists: readonly StoredTwist[], programHash: string): Uint8Array {
  const described = twists.map(({ name, signature, tokenizer, loss, head }) => [
    name,
    { signature, tokenizer, loss, model: head.model, link: head.link, role: head.role, shape: head.shape },
  ])
  const metadata = { format, program: programHash, twists: JSON.stringify(Object.fromEntries(described)) }
  const tensors = twists.map(({ name, head }) => layerTensors(name, head.shape, head.layers))
  return writeTensors(metadata, Object.assign({}, ...tensors))
}

/** All twists of a file, and the hash of the program that they were trained for. Throws R032. */
export function readTwists(
  file: TwistFile,
  span?: Span,
): { readonly program: string; readonly twists: ReadonlyMap<string, StoredTwist> } {
  try {
    const read = readTensors(file.bytes, format)
    const { program, twists } = read.metadata as { program: string; twists: string }
    const entries = Object.entries<Record<string, never>>(JSON.parse(twists)).map(([name, entry]) => {
      const { signature, tokenizer, loss, model, link, role, shape } = entry as never as StoredTwist & TrainedHead
      const layers = readLayers(read, name, shape)
      return [name, { name, signature, tokenizer, loss, head: { shape, layers, model, link, role } }] as const
    })
    return { program, twists: new Map(entries) }
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown)
    throw new SmcError(
      diagnostic('R032', span, `${file.name} is damaged: ${detail}`, {
        hint: 'delete it, or train again: `smcc train PROGRAM`',
      }),
    )
  }
}

/** The layers of a head as tensors, `NAME.0.weight` and so on. */
export function layerTensors(name: string, shape: HeadShape, layers: readonly Layer[]): NamedTensors {
  const sizes = layerSizes(shape)
  return Object.fromEntries(
    layers.flatMap(({ weight, bias }, i) => [
      [`${name}.${i}.weight`, { shape: [sizes[i]!.inputs, sizes[i]!.outputs], data: weight }],
      [`${name}.${i}.bias`, { shape: [sizes[i]!.outputs], data: bias }],
    ]),
  )
}

export function readLayers({ tensor }: ReadTensors, name: string, shape: HeadShape): Layer[] {
  return layerSizes(shape).map(({ inputs, outputs }, i) => ({
    weight: tensor(`${name}.${i}.weight`, inputs * outputs),
    bias: tensor(`${name}.${i}.bias`, outputs),
  }))
}

/** `(Context, String)` */
export function signatureOf({ params }: LearnTwistDecl): string {
  return `(${params.map(({ type }) => (type?.kind === 'NamedType' ? type.name : 'Context')).join(', ')})`
}

/** What the parameters after the context are to the network. */
export function conditionsOf({ params }: LearnTwistDecl): ConditionKind[] {
  return params
    .slice(1)
    .map(({ type }) => (type?.kind === 'NamedType' && ['String', 'Token'].includes(type.name) ? 'text' : 'number'))
}

/**
 * The learned twists of a program, trained where the file has them.
 * @param file null: none is trained
 * @throws SmcError R031 for a file that was made for another model, tokenizer or signature, R032 for a damaged one
 */
export function openTwists(
  declared: readonly LearnTwistDecl[],
  file: TwistFile | null,
  models: readonly ModelValue[],
  programHash: string,
): { readonly twists: LearnedTwist[]; readonly notes: LearnedNote[] } {
  const stored = file && declared.length > 0 ? readTwists(file, declared[0]!.name.span) : null
  const found = declared.map((decl) => {
    const name = decl.name.text
    const twist = stored?.twists.get(name) ?? null
    if (twist) requireFit(decl, twist, file!.name, models)
    return { name, conditions: conditionsOf(decl), twist }
  })
  return {
    twists: found.map(({ name, conditions, twist }) => new LearnedTwist(name, conditions, twist?.head ?? null)),
    notes: found.map(({ name, twist }) => ({
      name,
      file: twist && file!.name,
      loss: twist?.loss ?? null,
      programChanged: twist !== null && stored!.program !== programHash,
    })),
  }
}

function requireFit(
  decl: LearnTwistDecl,
  { name, signature, tokenizer, head }: StoredTwist,
  file: string,
  models: readonly ModelValue[],
): void {
  const wrong = (fact: string) => {
    throw new SmcError(
      diagnostic('R031', decl.name.span, `${file} holds \`${name}\` ${fact}`, {
        hint: 'train again: `smcc train PROGRAM`; without the file the twist is 1 everywhere',
      }),
    )
  }
  if (signature !== signatureOf(decl)) wrong(`of ${signature}, and the program declares ${signatureOf(decl)}`)
  const names = models.map(({ model }) => model.id).join(', ') || 'none'
  if (!models.some(({ vocabulary }) => vocabulary.identity === tokenizer))
    wrong(`for another tokenizer than those of the program (${names})`)
  if (!models.some(({ model }) => model.hash === head.model)) wrong(`for another model than those of the program (${names})`)
}
