import type { Budget } from './budget.js'
import type { ModelMemory } from './memory.js'
import type { DrawKey, Randomness } from './randomness.js'
import type { TokenSet } from './token-set.js'
import type { TokenUrn } from './token-urn.js'

/**
 * A language model as the executor sees it: histories of tokens, and two questions about what follows them.
 * Implementations: ONNX graphs (`transformer.ts`), Markov tables (`table.ts`). All log probabilities are natural logs.
 */
export interface LanguageModel {
  /** As the program or `--model` names it. */
  readonly id: string
  /** SHA-256 of what determines its probabilities (weights, config, tokenizer), hex. */
  readonly hash: string
  /** Most tokens that a history may hold, prompt and begin token included; Infinity for tables. */
  readonly contextLength: number
  readonly vocabulary: Vocabulary
  /** Left out where it is not worth counting. */
  readonly memory?: ModelMemory
  /** The history that holds just these tokens (a prompt, begin token included where the model expects one). */
  start(prompt: readonly number[]): History
  /** The history one token longer. Never calls the model: state is computed when a question needs it. */
  extend(history: History, token: number): History
  /** Draw one next token for each request; the replies stand in the order of the requests. */
  draw(requests: readonly DrawRequest[], options: ServeOptions): Promise<DrawReply[]>
  /** What each posterior may give next, to be drawn without replacement. */
  urns(posteriors: readonly Posterior[], options: ServeOptions): Promise<TokenUrn[]>
  /** For each posterior, log of the sum of g over its `leaving`. */
  measure(posteriors: readonly Posterior[], options: ServeOptions): Promise<Float64Array>
  /** For each expert, power · log p(v | history) for every token v. */
  logProbs(experts: readonly Expert[], options: ServeOptions): Promise<Float64Array[]>
  /** What learned twists see of the model; where it is left out, none can be learned. */
  readonly output?: OutputSpace
  /** For each request, log p(tokens[i] | history, tokens[..i]), as one array of tokens.length numbers. */
  score(requests: readonly ScoreRequest[], options: ServeOptions): Promise<Float64Array[]>
  /** Frees sessions and arenas; the model cannot be used afterwards. */
  dispose(): Promise<void>
}

/**
 * The last hidden state h and the output embedding E of a model, logits = E h: a vector g gives every next token v the log factor e_v · g
 * (inference.md §3). Tables: h is the one-hot Markov state, and E the identity.
 */
export interface OutputSpace {
  /** Whether the logits of the model are E h; of a table, or where they are capped, they are not. */
  readonly isLogits: boolean
  /** Numbers in a hidden state. */
  readonly hiddenWidth: number
  /** Numbers in a shift, and in each row of E. */
  readonly shiftWidth: number
  /** h behind each history. The arrays are not to be written to. */
  hidden(histories: readonly History[], options: ServeOptions): Promise<Float32Array[]>
  /** e_token · shift, one number each. */
  pick(asked: readonly { readonly shift: Float32Array; readonly token: number }[], options: ServeOptions): Promise<Float64Array>
  /** e_v · shift for every token v. */
  rows(shifts: readonly Float32Array[], options: ServeOptions): Promise<Float64Array[]>
  /** E, [vocabulary, shiftWidth]; null for the identity. Read from the files anew. */
  matrix(): Promise<Float32Array | null>
  /** e_v of each token. Not to be written to. */
  embeddings(tokens: readonly number[]): Promise<Float32Array[]>
}

/** A path of tokens. Immutable; paths that share a beginning share the objects, so a copy is a pointer. */
export interface History {
  /** Unique within the process. */
  readonly id: number
  readonly length: number
  /** The last token; -1 in the empty history. */
  readonly token: number
  readonly parent: History | null
}

/** A factor of what a token is drawn from: p(v | history)^power, of the tempered model. */
export interface Expert {
  readonly history: History
  /** > 0; probabilities are softmax(logits / temperature). */
  readonly temperature: number
  /** Any finite number; 1 for the model itself. */
  readonly power: number
}

/**
 * What the next token is drawn from, never renormalised (inference.md §1 "local posterior"):
 *
 *     g(v) = prod_i p_i(v | history_i)^power_i · exp(potential(v)) · [v in within]
 *
 * and the token v in `allowed` with probability proportional to g(v) exp(lookahead(v)), or no token at all.
 */
export interface Posterior {
  /** Of this model; at least one. */
  readonly experts: readonly Expert[]
  /** A log factor for every token; -Infinity is a factor of 0. */
  readonly potential: Float64Array | null
  /** null: all tokens. */
  readonly within: TokenSet | null
  /** null: all tokens. */
  readonly allowed: TokenSet | null
  /** What will be multiplied anyway once the token is known: a log factor for every token. It is fused into the draw and into the mass, not into g. */
  readonly lookahead: Float64Array | null
  /** A vector of the output space: its log factors e_v · shift are fused into the draw and into the mass, not into g, and divided by again later. */
  readonly shift: Float32Array | null
  /** A set whose g-mass is wanted; null: none. */
  readonly leaving: TokenSet | null
  /** Whether the draw may end without a token, with the mass that g (shifted) has on `leaving`, times exp(this); null: it may not. */
  readonly stop: number | null
}

export interface DrawRequest extends Posterior {
  readonly random: Randomness
  readonly key: DrawKey
  /** What the draw must give, a token or `stopped`, in place of chance; the reply is that of a draw that has given it. */
  readonly forced?: number | undefined
}

/** In place of a token: nothing has positive probability. */
export const nothing = -1
/** In place of a token: the draw has stopped. */
export const stopped = -2

export interface DrawReply {
  /** The drawn token, `stopped` or `nothing`. */
  readonly token: number
  /** log g(token); for a stop log g(leaving). */
  readonly logProb: number
  /** log of the mass that was drawn from, a stop included: 0 where one expert of power 1 draws from all tokens. */
  readonly logMass: number
  /** log g(leaving); -Infinity without such a set. */
  readonly logLeaving: number
  /** What `shift` has added to the log of the outcome's mass; 0 without one. */
  readonly logShift: number
}

/** A posterior of one history and nothing else. */
export function freely(history: History, temperature: number): Posterior {
  return {
    experts: [{ history, temperature, power: 1 }],
    potential: null,
    within: null,
    allowed: null,
    lookahead: null,
    shift: null,
    leaving: null,
    stop: null,
  }
}

export interface ScoreRequest {
  readonly history: History
  readonly temperature: number
  /** At least one token. */
  readonly tokens: readonly number[]
  /** Whether a stream will stand after the tokens: their state is then worth keeping. */
  readonly keep: boolean
}

export interface ServeOptions {
  /** Most rows of one model call. */
  readonly rows: number
  /** The histories that particles still stand on; state of any other may be dropped. */
  live(): Iterable<History>
  /** What the models of the run may take; a model that would take more computes again what it cannot keep, or throws a MemoryError. */
  readonly budget?: Budget | undefined
  /** Hidden states are kept with their histories: somebody will ask for them again. */
  readonly remember?: boolean | undefined
}

/** Tokens and text. Text is bytes underneath: a token may hold part of a character. */
export interface Vocabulary {
  readonly size: number
  /** SHA-256 of the token list; two models with equal identities read the same token ids. */
  readonly identity: string
  /** Ids that end a text; empty when the model has none. `lm.end` is the first. */
  readonly end: readonly number[]
  /** A prompt, with the begin token that the model expects. */
  encodePrompt(text: string): number[]
  /** Text that continues a stream: no begin token, no added space. Throws SmcError when the text cannot be cut. */
  encodeContinuation(text: string): number[]
  /** A chat through the model's template, up to where the answer begins. Throws SmcError when the model has none. */
  encodeChat(messages: readonly ChatMessage[]): number[]
  /** The bytes that a token adds to the text; empty for end tokens and other special tokens. */
  bytes(token: number): Uint8Array
}

export interface ChatMessage {
  readonly role: string
  readonly content: string
}

/** Text of a path of tokens; bytes that do not (yet) form a character show as U+FFFD. */
export function textOf(vocabulary: Vocabulary, tokens: Iterable<number>): string {
  const chunks: Uint8Array[] = []
  for (const token of tokens) chunks.push(vocabulary.bytes(token))
  return decoder.decode(Buffer.concat(chunks))
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
