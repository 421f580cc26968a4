import type { TestServices } from './services.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    services: TestServices
    /** Name of the migrated database that test databases are cloned from. */
    templateDatabase: string
  }
}
