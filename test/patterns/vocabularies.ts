import type { Vocabulary } from '../../src/models/model.js'

const encoder = new TextEncoder()

/** A vocabulary of these tokens; a token without bytes ends a text. */
export function vocabularyOf(tokens: readonly (string | Uint8Array)[]): Vocabulary {
  const bytes = tokens.map((token) => (typeof token === 'string' ? encoder.encode(token) : token))
  const refuse = (): never => {
    throw new Error('a vocabulary of tests cuts no text')
  }
  return {
    size: tokens.length,
    identity: 'test',
    end: bytes.flatMap(({ length }, token) => (length === 0 ? [token] : [])),
    encodePrompt: refuse,
    encodeContinuation: refuse,
    encodeChat: refuse,
    bytes: (token) => bytes[token]!,
  }
}

/** Token v is the byte v; 256 ends the text. */
export const singleBytes = vocabularyOf([...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), ''])
