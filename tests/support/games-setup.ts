import type { TestProject } from 'vitest/node'
import './provided.ts'
import { buildMinecraft } from './images/minecraft.ts'
import { buildPackagedGames } from './images/packaged-games.ts'

/** Runs once before the end-to-end tests: games that nobody here wrote. Two minutes on a fresh machine, a second from then on. */
export default async (project: TestProject): Promise<void> => {
  const [packaged, minecraft] = await Promise.all([buildPackagedGames(), buildMinecraft()])
  project.provide('games', { ...packaged, minecraft })
}
