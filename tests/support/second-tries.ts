import type { Reporter, TestModule } from 'vitest/node'

/** Lists at the end which tests passed only when they were tried again: each is a race somebody has to look at. */
export default class SecondTries implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const flaky = modules.flatMap((module) => [...module.children.allTests()]).filter((test) => test.diagnostic()?.flaky)
    if (flaky.length === 0) return
    console.log(`\nPassed only when tried again (${flaky.length}):`)
    for (const test of flaky) console.log(`  ${test.module.relativeModuleId} > ${test.fullName}`)
  }
}
