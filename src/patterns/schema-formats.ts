/*
 * The formats of JSON Schema that are regular languages, as regular expressions for the whole text, written from the RFCs that the schema names.
 * Where one of them leaves a number of digits open, it is bounded here, so that a model cannot spend its tokens on them.
 */

const day =
  '(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))' +
  '|(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)'
const time = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)'

/** RFC 3339, appendix A: units without a gap. */
const duration = (() => {
  const of = (unit: string, then = '') => `\\d{1,9}${unit}${then && `(?:${then})?`}`
  const clock = `T(?:${of('H', of('M', of('S')))}|${of('M', of('S'))}|${of('S')})`
  const date = `(?:${of('Y', of('M', of('D')))}|${of('M', of('D'))}|${of('D')})(?:${clock})?`
  return `P(?:${date}|${clock}|${of('W')})`
})()

const byte = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ipv4 = `${byte}(?:\\.${byte}){3}`

/** RFC 3986, section 3.2.2: eight groups, of which `::` stands for at least one. */
const ipv6 = (() => {
  const group = '[\\dA-Fa-f]{1,4}'
  const last = `(?:${group}:${group}|${ipv4})`
  const before = (most: number) => `(?:(?:${group}:){0,${most}}${group})?`
  const gaps = [5, 4, 3, 2, 1, 0].map((behind) => `${behind === 5 ? '' : before(4 - behind)}::(?:${group}:){${behind}}${last}`)
  return `(?:${[`(?:${group}:){6}${last}`, ...gaps, `${before(5)}::${group}`, `${before(6)}::`].join('|')})`
})()

/** RFC 1123; four of them with their dots are shorter than the 253 characters of a name. */
const label = '[\\dA-Za-z](?:[\\dA-Za-z-]{0,60}[\\dA-Za-z])?'
const atom = "[\\w!#$%&'*+/=?^`{|}~-]+"

/** RFC 3986: what may stand for itself, with percent-encoding. */
const character = (more: string) => `(?:[\\w.~!$&'()*+,;=${more}-]|%[\\dA-Fa-f]{2})`
const segment = `${character(':@')}*`
const path = {
  /** Behind a host. */
  behind: `(?:/${segment})*`,
  absolute: `/(?:${character(':@')}+(?:/${segment})*)?`,
  rootless: `${character(':@')}+(?:/${segment})*`,
  /** At the beginning of a reference, where a colon would end a scheme. */
  relative: `${character('@')}+(?:/${segment})*`,
}
const authority = `(?:${character(':')}*@)?(?:\\[${ipv6}\\]|${character('')}*)(?::\\d{0,5})?`
const tail = `(?:\\?${character(':@/?')}*)?(?:#${character(':@/?')}*)?`
/** With something behind the colon, which validators ask for. */
const uri = `[A-Za-z][\\dA-Za-z+.-]*:(?://${authority}${path.behind}|${path.absolute}|${path.rootless})${tail}`
const relative = `(?://${authority}${path.behind}|${path.absolute}|${path.relative})?${tail}`

/** For each format the expressions all of which its texts match. */
export const formats: Readonly<Record<string, readonly string[]>> = {
  // RFC 3339 without leap seconds.
  date: [day],
  time: [time],
  'date-time': [`${day}T${time}`],
  duration: [duration],
  // RFC 5321, section 4.1.2, without quoted names and addresses in brackets.
  email: [`${atom}(?:\\.${atom})*@${label}(?:\\.${label}){1,3}`, '[^@]{1,64}@[^]*'],
  hostname: [`${label}(?:\\.${label}){0,3}`],
  ipv4: [ipv4],
  ipv6: [ipv6],
  uri: [uri],
  'uri-reference': [`(?:${uri}|${relative})`],
  // RFC 9562
  uuid: ['[\\dA-Fa-f]{8}(?:-[\\dA-Fa-f]{4}){3}-[\\dA-Fa-f]{12}'],
  // RFC 6901
  'json-pointer': ['(?:/(?:[^~/]|~[01])*)*'],
}
