import type { Json } from '../result.js'
import type { Feature } from './measure.js'

/** Answers that are told apart, most probable first; the rest is looked at together. */
const mostAnswers = 12

const one: Feature = { name: 'Z', of: () => 1 }

/** What answers are compared by: each of the most probable for itself where there are few, else numbers that sum them up. */
export function featuresOf(answers: readonly { readonly answer: Json; readonly weight: number }[]): Feature[] {
  const masses = new Map<string, number>()
  for (const { answer, weight } of answers) {
    const key = JSON.stringify(answer)
    masses.set(key, (masses.get(key) ?? 0) + weight)
  }
  if (masses.size > answers.length / 2 && masses.size > 4 * mostAnswers) return [one, ...summaries(answers[0]!.answer, '')]
  const known = [...masses].sort((a, b) => b[1] - a[1]).map(([key]) => key)
  const told = known.slice(0, mostAnswers)
  return [
    one,
    ...told.map((key): Feature => ({ name: `the answer ${key}`, of: (answer) => (JSON.stringify(answer) === key ? 1 : 0) })),
    // Also answers that no run should give.
    { name: 'all other answers', of: (answer) => (told.includes(JSON.stringify(answer)) ? 0 : 1) },
  ]
}

/** Bounded functions of each number and text inside an answer, so that their means have an error. */
function summaries(like: Json, path: string): Feature[] {
  const at = (answer: Json) =>
    path
      .split('/')
      .slice(1)
      .reduce<unknown>((value, name) => (value as never)?.[name], answer)
  if (typeof like === 'number')
    return [
      {
        name: `x / (1 + |x|) of the number${path}`,
        of: (answer) => {
          const x = at(answer)
          return typeof x === 'number' ? x / (1 + Math.abs(x)) : 0
        },
      },
    ]
  if (like === null || typeof like !== 'object')
    return [{ name: `the length of the text${path}`, of: (answer) => 1 / (1 + String(at(answer)).length) }]
  return Object.entries(like)
    .slice(0, 4)
    .flatMap(([name, part]) => summaries(part, `${path}/${name}`))
}
