import { expect, test } from 'vitest'
import { LiveLine, liveText } from '../../src/cli/progress.js'

const progress = { step: 7, ess: 41.2, alive: 64, finished: 0, distinctAncestors: 23, tokens: 601, seconds: 1.93 }

test('one line with what a person watches', () => {
  expect(liveText(progress, 64)).toBe('step 7 · ESS 41 of 64 · 64 alive · 23 ancestors · 311 tokens/s · 1.9 s')
  expect(liveText({ ...progress, finished: 3, distinctAncestors: 1, tokens: 0 })).toBe(
    'step 7 · ESS 41 · 64 alive · 3 finished · 1 ancestor · 1.9 s',
  )
})

test('is written ten times a second at most, fits the terminal, and is erased', () => {
  const written: string[] = []
  let time = 0
  const live = new LiveLine({ write: (text) => void written.push(text), isTTY: true, columns: 20 }, () => time)
  for (time = 0; time < 1000; time += 10) live.update(progress, 64)
  expect(written).toHaveLength(10)
  expect(written[0]).toBe('\r\u001b[2Kstep 7 · ESS 41 of…')
  live.erase()
  live.erase()
  time += 1000
  live.update(progress, 64)
  expect(written.slice(10)).toEqual(['\r\u001b[2K'])
})
