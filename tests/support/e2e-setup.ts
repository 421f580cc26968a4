import type { TestProject } from 'vitest/node'
import './provided.ts'
import { ensureBuilt } from './built.ts'
import { buildFakeGame } from './images/fake-game.ts'
import { buildManmanImage } from './manman-image.ts'

/** Runs once before tests of whole stacks, after `global-setup.ts`: what they run. */
export default async (project: TestProject): Promise<void> => {
  await ensureBuilt()
  const [manman, fakeGame] = await Promise.all([buildManmanImage(), buildFakeGame()])
  project.provide('images', { manman, fakeGame })
}
