import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkAll, checkSession } from '../soak/check.ts'
import type { SessionEvidence } from '../soak/evidence.ts'
import { shortForm } from '../soak/forms.ts'
import { letGo, perform } from '../soak/places.ts'
import { faultKinds, planFaults } from '../soak/plan.ts'
import { countAll, missing, printReport } from '../soak/report.ts'
import { forget, openStage, type Played, playRound, readKept, type Stage } from '../soak/run.ts'
import { publishTwice, renumberJournal, stealFromArchive } from '../soak/sabotage.ts'
import { makeScript } from '../soak/script.ts'
import { watch } from '../soak/watch.ts'

// The short form of `npm run soak`, docs/logs.md. What it leaves behind when it fails stands in the directory it names.
describe('the log of a session while everything is killed', { timeout: 400_000 }, () => {
  let stage: Stage
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'manman-soak-'))
    stage = await openStage(dir)
  }, 180_000)
  afterAll(async () => {
    await stage?.close()
  }, 60_000)

  it('has every line once, in order, with one number wherever it is read', async () => {
    const { seed, faults } = shortForm
    const evidence = await playRound(stage, { ...shortForm, faults: planFaults(seed, faults, faultKinds), say: console.log })
    const violations = checkAll(evidence)
    const counts = countAll([evidence])
    printReport(counts, violations)
    expect(violations, `seed ${seed}; logs are in ${dir}`).toEqual([])
    expect(missing(counts)).toEqual([])
  })

  describe('broken on purpose', () => {
    let doubled: SessionEvidence
    let renumbered: SessionEvidence
    let robbed: SessionEvidence
    const copies = { live: 0, archive: 0 }

    /** A session that writes on when it is let go. */
    const begin = async (place: number, lines: number, sections: number): Promise<Played> => {
      const script = makeScript({ seed: place, lines, sections })
      const sessionId = await perform(stage.fleet, stage.places[place]!, script)
      return { script, viewing: watch(stage.fleet.client, sessionId, { typing: false, endLimitMs: 20_000 }) }
    }
    const rulesOf = (evidence: SessionEvidence): string[] => checkSession(evidence).map(({ rule }) => rule)

    beforeAll(async () => {
      const { fleet, places } = stage
      const [host] = fleet.hosts
      const duplicator = await publishTwice(fleet)
      const [twice, journal, archive] = await Promise.all([begin(1, 3_000, 1), begin(2, 2_000, 2), begin(3, 30_000, 2)])
      await twice.viewing.ended()
      await Promise.all([journal.viewing.live.count(1_000), archive.viewing.live.count(15_000)])
      await duplicator.close()
      Object.assign(copies, duplicator.copies)

      await fleet.processor.kill()
      await letGo(places[3]!, 'go-1')
      await stealFromArchive(fleet)
      fleet.processor.start()

      await host!.agent.kill()
      await renumberJournal(host!.dataDir, journal.viewing.sessionId)
      host!.agent.start()
      await letGo(places[2]!, 'go-1')
      await Promise.all([journal.viewing.ended(), archive.viewing.ended()])
      ;[doubled, renumbered, robbed] = (await readKept(stage, [twice, journal, archive], 5_000)) as [
        SessionEvidence,
        SessionEvidence,
        SessionEvidence,
      ]
    }, 180_000)

    it('shows nothing of messages that came twice: they change things once', () => {
      expect(copies.live).toBeGreaterThan(0)
      expect(copies.archive).toBeGreaterThan(0)
      expect(checkSession(doubled)).toEqual([])
    })

    it('finds a journal that was renumbered', () => {
      expect(rulesOf(renumbered)).toContain('a line has the same number everywhere')
      expect(rulesOf(renumbered)).toContain('every line is there once, in order')
    })

    it('finds a batch that was taken on its way to the archive', () => {
      expect(rulesOf(robbed)).toContain('every line can be read')
      expect(rulesOf(robbed)).toContain('every line is there once, in order')
    })

    afterAll(() => forget(dir))
  })
})
