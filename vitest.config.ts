import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'

const require = createRequire(import.meta.url)

// vitest would load graphql twice (ESM and CommonJS), and graphql refuses schemas of another instance.
const alias = [{ find: /^graphql$/, replacement: require.resolve('graphql') }]

const project = (name: string, options: object) => ({
  resolve: { alias },
  test: { name, include: [`tests/${name}/**/*.test.ts`], expect: { poll: { timeout: 20_000 } }, ...options },
})

// CI tries once more what runs on real services, whose pace nobody holds, and says at the end which tests needed it.
// Units and fault runs get no second try: what fails there fails.
const { CI } = process.env
const retry = CI ? 1 : 0

// Files share their worker's modules: to read those anew for each file took a third of the time.
const oneWorld = { isolate: false, maxWorkers: 2 }

const wholeStacks = {
  globalSetup: ['tests/support/global-setup.ts', 'tests/support/e2e-setup.ts'],
  testTimeout: 120_000,
  hookTimeout: 180_000,
  fileParallelism: false,
}

export default defineConfig({
  resolve: { alias },
  test: {
    reporters: ['default', './tests/support/second-tries.ts'],
    // One project after the other: e2e and faults measure nothing, but start whole control planes on two cores.
    projects: [
      project('unit', { ...oneWorld, testTimeout: 20_000, sequence: { groupOrder: 0 } }),
      project('integration', {
        ...oneWorld,
        globalSetup: ['tests/support/global-setup.ts'],
        retry,
        testTimeout: 60_000,
        hookTimeout: 120_000,
        sequence: { groupOrder: 1 },
      }),
      project('e2e', {
        ...wholeStacks,
        globalSetup: [...wholeStacks.globalSetup, 'tests/support/games-setup.ts'],
        retry,
        sequence: { groupOrder: 2 },
      }),
      project('faults', { ...wholeStacks, sequence: { groupOrder: 3 } }),
    ],
  },
})
