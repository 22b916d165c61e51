import { expect, test } from 'vitest'
import { checks } from '../../src/report/checks.js'
import { example } from './example.js'

const verdict = (name: string, change: object) => checks({ ...example, ...change }).find((check) => check.name === name)?.verdict
const particles = (count: number) => ({ ...example.settings, particles: count })

test('the ESS is low below a tenth of the particles', () => {
  expect(verdict('ESS', { settings: particles(100), ess: 10 })).toBe('ok')
  expect(verdict('ESS', { settings: particles(100), ess: 9.99 })).toBe('warn')
})

test('half of the particles dead is too many', () => {
  expect(verdict('dead', { settings: particles(4), alive: 3 })).toBe('ok')
  expect(verdict('dead', { settings: particles(4), alive: 2 })).toBe('warn')
})

test('only an interrupted run is called partial', () => {
  expect(verdict('partial', {})).toBeUndefined()
  expect(verdict('partial', { partial: true })).toBe('warn')
})

test('each warning carries advice, and nothing that is well does', () => {
  for (const result of [example, { ...example, ess: 0.1, alive: 1, logZ: null, partial: true }]) {
    for (const check of checks(result)) expect(check.advice !== '').toBe(check.verdict === 'warn')
  }
})
