import { diagnostic } from '../diagnostics/diagnostic.js'
import type { Span } from '../diagnostics/span.js'
import type { Distribution } from './distributions/distribution.js'
import { labels } from './distributions/labels.js'
import { runError, shown } from './host/failure.js'
import type { ClassifierValue } from './values.js'

export interface Question {
  readonly text: string
  /** Where it is asked in the program. */
  readonly span: Span | undefined
}

/**
 * One distribution a question; equal texts are asked once, and what comes is remembered with the classifier.
 * @param rows most texts in one call of the runtime
 * @param cut told of a text that the classifier has read only in part
 * @throws SmcError R001 for scores that are no log probabilities
 */
export async function judge(
  { name, classifier, known }: ClassifierValue,
  questions: readonly Question[],
  rows: number,
  cut: (question: Question) => void,
): Promise<readonly Distribution<string>[]> {
  const first = new Map<string, Question>()
  for (const question of questions) if (!first.has(question.text)) first.set(question.text, question)
  const judgements = await classifier.classify([...first.keys()], rows)
  const answers = new Map<string, Distribution<string>>()
  for (const [i, question] of [...first.values()].entries()) {
    const { logProbs, cut: wasCut } = judgements[i]!
    // A NaN compares with nothing.
    if (logProbs.length !== classifier.labels.length || !logProbs.every((log) => log <= 0))
      throw runError(
        diagnostic(
          'R001',
          question.span,
          `\`${name}\` gives no probabilities (${logProbs.join(', ')}) for ${shown(question.text)}`,
          {
            hint: 'its weights are damaged, or overflow on this text: use another classifier',
          },
        ),
      )
    if (wasCut) cut(question)
    const answer = labels(name, classifier.labels, logProbs, classifier.exclusive)
    answers.set(question.text, answer)
    known.set(question.text, answer)
  }
  return questions.map(({ text }) => answers.get(text)!)
}
