import type { TestProject } from 'vitest/node'
import './provided.ts'
import { ensureBuilt } from './built.ts'
import { buildArmagetron } from './images/armagetron.ts'
import { buildFakeGame } from './images/fake-game.ts'
import { buildManmanImage } from './manman-image.ts'

/**
 * Runs once before the end-to-end tests, after `global-setup.ts`: what they run. Takes two minutes on a fresh machine, as a
 * small Debian is fetched for the real game, and seconds from then on.
 */
export default async (project: TestProject): Promise<void> => {
  await ensureBuilt()
  const [manman, fakeGame, armagetron] = await Promise.all([buildManmanImage(), buildFakeGame(), buildArmagetron()])
  project.provide('images', { manman, fakeGame, armagetron })
}
