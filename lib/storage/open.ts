import { resolve } from 'node:path'
import { z } from 'zod'
import { envKinds } from '../process/env.ts'
import { makeDirectoryStore } from './directory.ts'
import { makeS3Store } from './s3.ts'
import type { ObjectStore } from './store.ts'

const isTrue = z.enum(['true', 'false']).transform((text) => text === 'true')

/** Variables that say where objects are kept. */
export const storageVariables = {
  /** With it, objects go to S3; without, to a directory. */
  S3_BUCKET: z.string().optional(),
  S3_ENDPOINT: envKinds.url('http', 'https').optional(),
  /** As hosts and browsers reach it, where that differs. */
  S3_PUBLIC_ENDPOINT: envKinds.url('http', 'https').optional(),
  S3_REGION: z.string().default('us-east-1'),
  S3_PREFIX: z
    .string()
    .regex(/^([A-Za-z0-9._-]+\/)*$/, 'is not words that each end with /')
    .default(''),
  /** Unset: true when there is an endpoint. */
  S3_FORCE_PATH_STYLE: isTrue.optional(),
  S3_CHECKSUMS: isTrue.default(false),
  MANMAN_HOME: z.string().default('.manman'),
  MANMAN_OBJECTS_DIR: z.string().optional(),
}

/** The store that `storageVariables` name. Reaches out to nothing yet. */
export const openStore = (given: z.infer<z.ZodObject<typeof storageVariables>>): ObjectStore => {
  if (!given.S3_BUCKET) return makeDirectoryStore({ root: resolve(given.MANMAN_OBJECTS_DIR ?? `${given.MANMAN_HOME}/objects`) })
  return makeS3Store({
    bucket: given.S3_BUCKET,
    endpoint: given.S3_ENDPOINT,
    publicEndpoint: given.S3_PUBLIC_ENDPOINT,
    region: given.S3_REGION,
    forcePathStyle: given.S3_FORCE_PATH_STYLE ?? given.S3_ENDPOINT !== undefined,
    prefix: given.S3_PREFIX,
    checksums: given.S3_CHECKSUMS,
  })
}
