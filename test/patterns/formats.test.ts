import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { schemaAutomaton } from '../../src/patterns/schema.js'
import { formats } from '../../src/patterns/schema-formats.js'
import { generator } from '../xorshift.js'
import { accepts, completion, stateAfter } from './walk.js'

/*
 * `format` of JSON schemas beside ajv-formats: what an automaton lets through is valid there, and what people write is let through.
 */

const ajv = new Ajv2020()
addFormats.default(ajv)

const examples: Readonly<Record<string, { readonly fit: readonly string[]; readonly strange: readonly string[] }>> = {
  date: { fit: ['2024-02-29', '1999-12-31'], strange: ['2023-02-29', '2024-1-01', '24-01-01', '2024-01-01 '] },
  time: { fit: ['23:59:59Z', '00:00:00.123+14:00'], strange: ['24:00:00Z', '12:00:00', '12:00Z', '12:00:60Z'] },
  'date-time': { fit: ['2024-02-29T12:00:00Z', '1985-04-12T23:20:50.52-08:00'], strange: ['2024-02-29', '2024-02-30T12:00:00Z'] },
  duration: {
    fit: ['P1Y2M10DT2H30M', 'P1D', 'PT36H', 'P4W', 'PT5S', 'P1YT1M'],
    strange: ['P', 'PT', 'P1', '1D', 'P1Y1W', 'P1DT', 'P1H'],
  },
  email: {
    fit: ['joe@example.com', 'a.b+c@x-y.example.org', "o'neil_1@mail.co.uk", `${'a'.repeat(64)}@example.com`],
    strange: [
      'joe',
      '@example.com',
      'joe@',
      'a..b@example.com',
      '.a@example.com',
      'a@-x.com',
      'a@x-.com',
      'a b@x.com',
      'a@b@c.com',
    ],
  },
  hostname: {
    fit: ['example.com', 'localhost', 'a-b.c', '3com.com'],
    strange: ['-a.com', 'a..b', '', 'a_b.com', 'a.com-', 'é.com'],
  },
  ipv4: { fit: ['0.0.0.0', '192.168.1.255'], strange: ['256.1.1.1', '1.1.1', '01.1.1.1', '1.1.1.1.1'] },
  ipv6: {
    fit: ['::', '::1', '1::', '2001:db8::8:800:200c:417a', '1:2:3:4:5:6:7:8', '::ffff:192.0.2.1', '1:2:3:4:5:6:7::', 'FE80::1:2'],
    strange: [':', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', '12345::', '1:2:3:4:5:6:7:8::', '::1.2.3', 'g::'],
  },
  uri: {
    fit: ['https://example.com/a?b=c#d', 'mailto:joe@example.com', 'ftp://u:p@[::1]:21/x%20y', 'urn:isbn:0', 'file:///etc/hosts'],
    strange: ['example.com', '/a/b', 'http://a b', 'http://x/%zz', '1http://x', '://x', 'http://[1]/', 'http://x/<a>'],
  },
  'uri-reference': {
    fit: ['', '/a/b', '../x?y#z', '#top', '//example.com', 'https://example.com', 'a:b'],
    strange: ['a b', '%zz', '<x>', '#a#b', '\\x'],
  },
  uuid: {
    fit: ['2eb8aa08-aa98-11ea-b4aa-73b441d16380'],
    strange: ['2eb8aa08-aa98-11ea-b4aa-73b441d1638', '2eb8aa08aa9811eab4aa73b441d16380'],
  },
  'json-pointer': { fit: ['', '/', '/a/b~0c/~1'], strange: ['a', '/~', '/~2'] },
}

it('every format has examples', () => {
  expect(Object.keys(examples).sort()).toEqual(Object.keys(formats).sort())
})

describe.each(Object.entries(examples))('%s', (format, { fit, strange }) => {
  const schema = { type: 'string', format }
  const automaton = schemaAutomaton(schema)
  const validate = ajv.compile(schema)

  it('lets through what people write, and nothing else', () => {
    expect(fit.filter((text) => !accepts(automaton, JSON.stringify(text)))).toEqual([])
    expect(strange.filter((text) => accepts(automaton, JSON.stringify(text)))).toEqual([])
    expect(fit.filter((text) => !validate(text))).toEqual([])
  })

  it('lets through only what ajv-formats finds valid', () => {
    const random = generator(11)
    const texts = [...fit, ...strange]
    for (let i = 0; i < 400; i++) {
      // A beginning of an example, some bytes at random that may follow it, and the shortest way to an end.
      const known = JSON.stringify(texts[i % texts.length]!)
      let bytes = [...new TextEncoder().encode(known.slice(0, 1 + Math.floor(random() * known.length)))]
      while (stateAfter(automaton, Uint8Array.from(bytes)) < 0) bytes = bytes.slice(0, -1)
      for (let n = Math.floor(random() * 8); n > 0; n--) {
        const state = stateAfter(automaton, Uint8Array.from(bytes))
        const next = Array.from({ length: 0x60 }, (_, byte) => byte + 0x20).filter((byte) => automaton.step(state, byte) >= 0)
        if (next.length === 0) break
        bytes.push(next[Math.floor(random() * next.length)]!)
      }
      const end = completion(automaton, stateAfter(automaton, Uint8Array.from(bytes)))!
      const text = JSON.parse(new TextDecoder().decode(Uint8Array.from([...bytes, ...end]))) as string
      expect([text, validate(text)]).toEqual([text, true])
    }
  })
})
