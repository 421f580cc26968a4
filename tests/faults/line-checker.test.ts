import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
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
import { eventually } from '../support/eventually.ts'

// The short form of `npm run soak`, docs/logs.md. What it leaves behind when it fails stands in the directory it names.
describe('the log of a session while everything is killed', { timeout: 400_000 }, () => {
  let stage: Stage
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'manman-soak-'))
    stage = await openStage(dir)
  }, 180_000)
  let passed = 0
  afterEach(({ task }) => {
    if (task.result?.state === 'pass') passed++
  })
  afterAll(async () => {
    await stage?.close()
    if (passed === 4) forget(dir)
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
    let copied: Awaited<ReturnType<typeof publishTwice>>['copied']

    /** A session that writes on when it is let go. */
    const begin = async (place: number, lines: number, sections: number): Promise<Played> => {
      const script = makeScript({ seed: place, lines, sections })
      const sessionId = await perform(stage.fleet, stage.places[place]!, script)
      return { script, viewing: watch(stage.fleet.client, sessionId, { typing: false, endLimitMs: 20_000 }) }
    }
    const rulesOf = (evidence: SessionEvidence): string[] => checkSession(evidence).map(({ rule }) => rule)

    /** At once, as an agent mends what is archived already: that comes within 30 s. */
    const playRenumbered = async (): Promise<Played> => {
      const { agent, dataDir } = stage.fleet.hosts[0]!
      const played = await begin(2, 2_000, 2)
      await played.viewing.live.count(1_000)
      await agent.kill()
      await renumberJournal(dataDir, played.viewing.sessionId)
      agent.start()
      await letGo(stage.places[2]!, 'go-1')
      await played.viewing.ended()
      return played
    }

    /** Who has seen lines of the second part has asked for live ones: those of the third part come live, if not of the last. */
    const playDoubled = async (): Promise<Played> => {
      const duplicator = await publishTwice(stage.fleet)
      const played = await begin(1, 4_000, 4)
      for (const section of [1, 2, 3]) {
        await played.viewing.live.count(section * 1_000)
        await letGo(stage.places[1]!, `go-${section}`)
      }
      await played.viewing.ended()
      copied = duplicator.copied
      // The last lines go to the archive after the session has ended.
      await eventually(() => copied.archive.has(played.viewing.sessionId), { what: 'its archive came twice' })
      await duplicator.close()
      return played
    }

    /** Last, as an agent that starts sends again what it does not know to be archived. */
    const playRobbed = async (): Promise<Played> => {
      const { processor } = stage.fleet
      const played = await begin(3, 30_000, 2)
      await played.viewing.live.count(15_000)
      const known = played.viewing.live.lines.length
      await processor.kill()
      await letGo(stage.places[3]!, 'go-1')
      await stealFromArchive(stage.fleet, played.viewing.sessionId, known)
      processor.start()
      await played.viewing.ended()
      return played
    }

    beforeAll(async () => {
      const played = [await playRenumbered(), await playDoubled(), await playRobbed()]
      ;[renumbered, doubled, robbed] = (await readKept(stage, played, 5_000)) as [
        SessionEvidence,
        SessionEvidence,
        SessionEvidence,
      ]
    }, 180_000)

    it('shows nothing of messages that came twice: they change things once', () => {
      expect(copied.live).toContain(doubled.sessionId)
      expect(copied.archive).toContain(doubled.sessionId)
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
  })
})
