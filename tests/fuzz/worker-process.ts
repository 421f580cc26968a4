import { targets } from './targets.ts'

/** One of the processes of a run: carries out chunks one after another, as it is told. */
process.on('message', async ({ name, cases, seed }: { name: string; cases: number; seed: number }) => {
  const target = targets.find((one) => one.name === name)!
  const began = performance.now()
  const tally = await target
    .run({ cases, seed, onProgress: (done) => process.send?.(done) })
    .catch((error) => ({ accepted: 0, refused: 0, failure: String(error) }))
  process.send?.({ ...tally, seconds: (performance.now() - began) / 1_000 })
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
