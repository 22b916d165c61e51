import { Template } from '@huggingface/jinja'

/**
 * Runs a chat template as Python's Jinja does, for which it was written. The library ignores which characters `strip`, `lstrip` and `rstrip` are
 * to take away, and writes months in the language of the machine: calls of these go to functions of our own.
 */
export function runTemplate(source: string, values: Readonly<Record<string, unknown>>): string {
  const template = new Template(source)
  mend(template.parsed)
  return template.render({ ...values, ...functions })
}

const strips: Readonly<Record<string, string>> = { strip: 'python_strip', lstrip: 'python_lstrip', rstrip: 'python_rstrip' }
const functions = {
  python_strip: (text: unknown, characters: unknown) => stripped(text, characters, true, true),
  python_lstrip: (text: unknown, characters: unknown) => stripped(text, characters, true, false),
  python_rstrip: (text: unknown, characters: unknown) => stripped(text, characters, false, true),
  python_strftime_now: (format: unknown) => timeText(new Date(), String(format)),
}

/** A node of a parsed template. */
type Node = { type?: unknown; [key: string]: unknown }

function mend(part: unknown): void {
  if (typeof part !== 'object' || part === null) return
  for (const inner of part instanceof Map ? [...part].flat() : Object.values(part)) mend(inner)
  const node = part as Node
  if (node.type === 'Identifier' && node.value === 'strftime_now') node.value = 'python_strftime_now'
  if (node.type !== 'CallExpression') return
  const { callee, args } = node as { callee?: Node; args?: unknown[] }
  const name = (callee?.property as Node | undefined)?.value
  if (callee?.type !== 'MemberExpression' || callee.computed || typeof name !== 'string' || !args?.length) return
  if (Object.hasOwn(strips, name)) {
    node.callee = { type: 'Identifier', value: strips[name] }
    node.args = [callee.object, ...args]
  }
}

function stripped(text: unknown, characters: unknown, left: boolean, right: boolean): string {
  if (typeof text !== 'string') throw new Error('strip is asked of something that is no text')
  if (typeof characters !== 'string') return left ? (right ? text.trim() : text.trimStart()) : text.trimEnd()
  const points = [...text]
  const away = (point: string | undefined) => point !== undefined && characters.includes(point)
  let begin = 0
  let end = points.length
  while (left && begin < end && away(points[begin])) begin++
  while (right && end > begin && away(points[end - 1])) end--
  return points.slice(begin, end).join('')
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = 'January February March April May June July August September October November December'.split(' ')

/** Python's `strftime` in the C locale, which is Python's own. What it does not know it leaves. */
function timeText(date: Date, format: string): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const [day, month] = [days[date.getDay()]!, months[date.getMonth()]!]
  const parts: Readonly<Record<string, string>> = {
    '%Y': String(date.getFullYear()),
    '%y': two(date.getFullYear() % 100),
    '%m': two(date.getMonth() + 1),
    '%B': month,
    '%b': month.slice(0, 3),
    '%d': two(date.getDate()),
    '%A': day,
    '%a': day.slice(0, 3),
    '%H': two(date.getHours()),
    '%I': two(date.getHours() % 12 || 12),
    '%p': date.getHours() < 12 ? 'AM' : 'PM',
    '%M': two(date.getMinutes()),
    '%S': two(date.getSeconds()),
    '%%': '%',
  }
  return format.replace(/%./g, (code) => parts[code] ?? code)
}
