import type { TestServices } from './services.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    services: TestServices
    /** Name of the migrated database that test databases are cloned from. */
    templateDatabase: string
    /** References of the images that end-to-end tests run. */
    images: { manman: string; fakeGame: string; armagetron: string }
  }
}
