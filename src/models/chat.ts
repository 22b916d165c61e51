import { runTemplate } from './chat-template.js'
import { modelError, reason } from './errors.js'
import { isObject, type JsonObject } from './json.js'
import type { ChatMessage } from './model.js'

/** The text of a chat up to where the answer begins, by the model's own template. Throws M010. */
export function renderChat(
  id: string,
  tokenizerConfig: JsonObject,
  file: string | null,
  messages: readonly ChatMessage[],
): string {
  const source = file ?? templateOf(tokenizerConfig.chat_template)
  if (source === null) {
    throw modelError(
      'M010',
      `${id} has no chat template`,
      'leave out `chat: true` and write the prompt as plain text, or choose a model made for chats',
    )
  }
  try {
    return runTemplate(source, {
      messages: messages.map(({ role, content }) => ({ role, content })),
      add_generation_prompt: true,
      // Hugging Face's libraries pass these as none, which a template can tell from something that is not defined.
      tools: null,
      documents: null,
      ...specialTokens(tokenizerConfig),
    })
  } catch (thrown) {
    throw modelError(
      'M010',
      `the chat template of ${id} refuses these messages: ${reason(thrown)}`,
      'check the roles and their order',
    )
  }
}

/** A template, or a list of named ones of which "default" is meant. */
function templateOf(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return null
  const named = value.filter(isObject)
  const entry = named.find(({ name }) => name === 'default') ?? named[0]
  return typeof entry?.template === 'string' ? entry.template : null
}

/** bos_token, eos_token and their like, as strings. */
function specialTokens(config: JsonObject): Record<string, string> {
  const tokens: Record<string, string> = {}
  for (const [key, value] of Object.entries(config)) {
    if (!key.endsWith('_token')) continue
    if (typeof value === 'string') tokens[key] = value
    else if (isObject(value) && typeof value.content === 'string') tokens[key] = value.content
  }
  return tokens
}
