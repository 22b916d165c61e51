import { modelError } from '../errors.js'
import { isObject, type JsonObject } from '../json.js'

/** What config.json says of a classifier. */
export interface ClassifierConfig {
  readonly labels: readonly string[]
  /** Softmax over the labels; otherwise a sigmoid each. */
  readonly exclusive: boolean
  /** Most tokens by the table of positions; Infinity when it says nothing. */
  readonly positions: number
  readonly padToken: number | null
}

/** Families whose positions are counted from behind the pad token, so that the table holds fewer texts than it has rows. */
const countsFromPad = new Set(['roberta', 'xlm-roberta', 'camembert', 'xlm-roberta-xl', 'longformer'])

/** Throws M021 for a model that does something else than to classify texts. */
export function describe(id: string, config: JsonObject): ClassifierConfig {
  const fail = (fact: string): never => {
    throw modelError('M021', `${id} is not a text classifier: ${fact}`, 'choose a model for text classification')
  }
  const { architectures, id2label, num_labels: count, problem_type: problem, model_type: family } = config
  const names = Array.isArray(architectures) ? architectures.map(String) : []
  if (names.length > 0 && !names.some((name) => name.endsWith('ForSequenceClassification')))
    fail(`config.json says that it is a ${names.join(', ')}`)
  if (problem === 'regression') fail('config.json says that it gives a number (regression)')
  const labels = isObject(id2label) ? named(id2label) : unnamed(typeof count === 'number' ? count : 2)
  if (labels === null) return fail('id2label of config.json does not name the labels 0, 1, 2 ...')
  const twice = labels.find((label, i) => labels.indexOf(label) < i)
  if (twice !== undefined) fail(`two of its labels are named ${JSON.stringify(twice)}`)
  const { max_position_embeddings: rows, pad_token_id: pad } = config
  const padToken = typeof pad === 'number' ? pad : null
  const lost = countsFromPad.has(String(family)) ? (padToken ?? 1) + 1 : 0
  return {
    labels,
    exclusive: problem !== 'multi_label_classification' && labels.length > 1,
    positions: typeof rows === 'number' && rows > lost ? rows - lost : Number.POSITIVE_INFINITY,
    padToken,
  }
}

function named(id2label: JsonObject): string[] | null {
  const count = Object.keys(id2label).length
  const labels = Array.from({ length: count }, (_, i) => id2label[String(i)])
  return count > 0 && labels.every((label) => typeof label === 'string') ? (labels as string[]) : null
}

/** The names that the library gives where the file gives none. */
function unnamed(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `LABEL_${i}`)
}
