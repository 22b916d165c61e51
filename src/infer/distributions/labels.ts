import type { DrawKey, Randomness } from '../../models/randomness.js'
import { equal } from '../equality.js'
import { type Distribution, type Outcome, OutcomeError } from './distribution.js'

/**
 * What a classifier says of a text: a label with its probability. Where the labels do not exclude one another each holds with its
 * own probability, and there is nothing to draw. A label that the classifier does not have is a slip of the pen, never probability 0.
 * @param classifier its name in the program
 * @param logProbs of each label
 */
export function labels(
  classifier: string,
  names: readonly string[],
  logProbs: Float64Array,
  exclusive: boolean,
): Distribution<string> {
  return new Labels(classifier, names, logProbs, exclusive)
}

class Labels implements Distribution<string> {
  readonly name = 'labels'
  readonly discrete = true

  constructor(
    private readonly classifier: string,
    private readonly names: readonly string[],
    private readonly logProbs: Float64Array,
    private readonly exclusive: boolean,
  ) {}

  logProb(value: unknown): number {
    const at = typeof value === 'string' ? this.names.indexOf(value) : this.names.findIndex((name) => equal(name, value))
    if (at >= 0) return this.logProbs[at]!
    throw new OutcomeError(
      `\`${this.classifier}\` has no label ${typeof value === 'string' ? JSON.stringify(value) : 'of this kind'}`,
      `its labels are ${this.names.map((name) => JSON.stringify(name)).join(', ')}`,
    )
  }

  sample(random: Randomness, key: DrawKey): string {
    if (this.exclusive) return this.names[random.index(this.logProbs.map(Math.exp), key)]!
    throw new OutcomeError(
      `the labels of \`${this.classifier}\` do not exclude one another, so none can be drawn`,
      `ask for one of them: \`.prob(${JSON.stringify(this.names[0])})\``,
    )
  }

  support(most: number): Outcome<string>[] | null {
    if (!this.exclusive || this.names.length > most) return null
    const outcomes = this.names.map((value, i) => ({ value, probability: Math.exp(this.logProbs[i]!) }))
    return outcomes.filter((outcome) => outcome.probability > 0)
  }
}
