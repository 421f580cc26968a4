import type { PackagedGame } from './images/packaged-games.ts'
import type { TestServices } from './services.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    services: TestServices
    /** Name of the migrated database that test databases are cloned from. */
    templateDatabase: string
    /** References of the images that tests of whole stacks run. */
    images: { manman: string; fakeGame: string }
    /** Those of games that nobody here wrote; for end-to-end tests alone. */
    games: Record<PackagedGame | 'minecraft', string>
  }
}
