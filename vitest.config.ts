import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    maxWorkers: 2,
    // Tests of the hub talk to a server of their own; nothing else may go out, and nothing be kept in the user's folders.
    env: { HF_HUB_OFFLINE: '1', SMCC_CACHE: 'off' },
  },
})
