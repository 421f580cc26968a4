import type { Readable } from 'node:stream'
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { Unavailable } from '../domain/errors.ts'
import { checkKey } from './keys.ts'
import { makeS3Uploads } from './s3-uploads.ts'
import { ObjectMissing, type ObjectStore, type StoredObject } from './store.ts'

export interface S3Options {
  bucket: string
  /** Unset: AWS, by region. */
  endpoint?: string
  /** As hosts and people reach it, where that differs: signed addresses begin with it. */
  publicEndpoint?: string
  region: string
  /** The bucket in the path and not in the host name, as most servers other than AWS want it. */
  forcePathStyle: boolean
  /** Put before every key, such as `manman/`. */
  prefix: string
  /** The SDK's own checksums on every request. Not every server takes them. */
  checksums: boolean
}

const requestTimeoutMs = 30_000
const connectTimeoutMs = 5_000
const maxAttempts = 4
/** S3 takes no more keys in one request. */
const removedAtOnce = 1_000

/**
 * Objects in a bucket of any S3 service; the bucket must be there. Credentials come the way the AWS SDK finds them:
 * AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the machine's role.
 */
export const makeS3Store = (options: S3Options): ObjectStore => {
  const { bucket: Bucket, prefix } = options
  const checksums = options.checksums ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED'
  const clientOf = (endpoint: string | undefined, sums: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED'): S3Client =>
    new S3Client({
      region: options.region,
      endpoint,
      forcePathStyle: options.forcePathStyle,
      requestChecksumCalculation: sums,
      responseChecksumValidation: sums,
      maxAttempts,
      requestHandler: { requestTimeout: requestTimeoutMs, connectionTimeout: connectTimeoutMs },
    })
  const client = clientOf(options.endpoint, checksums)
  // Who puts parts to signed addresses sends no checksums of the SDK, so none may be announced or signed.
  const plain = clientOf(options.endpoint, 'WHEN_REQUIRED')
  const signer = clientOf(options.publicEndpoint ?? options.endpoint, 'WHEN_REQUIRED')
  const nameOf = (key: string): string => prefix + checkKey(key)

  async function* list(of: string): AsyncGenerator<StoredObject> {
    let ContinuationToken: string | undefined
    do {
      const page = await client
        .send(new ListObjectsV2Command({ Bucket, Prefix: prefix + of, ContinuationToken }))
        .catch(rejectUnavailable)
      for (const { Key, Size, LastModified } of page.Contents ?? [])
        yield { key: Key!.slice(prefix.length), bytes: Size ?? 0, changedAt: LastModified ?? new Date() }
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken)
  }

  const removeSome = async (keys: readonly string[]): Promise<void> => {
    const Objects = keys.map((key) => ({ Key: nameOf(key) }))
    const { Errors } = await client
      .send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }))
      .catch(rejectUnavailable)
    const fault = Errors?.find(({ Code }) => Code !== 'NoSuchKey')
    if (fault) throw new Unavailable(`S3 did not remove ${fault.Key}: ${fault.Message ?? fault.Code}`)
  }

  return {
    put: async (key, Body) => {
      await client.send(new PutObjectCommand({ Bucket, Key: nameOf(key), Body })).catch(rejectUnavailable)
    },
    get: async (key) => {
      const Key = nameOf(key)
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
        return Buffer.from(await Body!.transformToByteArray())
      } catch (error) {
        throw error instanceof NoSuchKey ? new ObjectMissing(key, { cause: error }) : unavailable(error)
      }
    },
    read: async (key, range) => {
      const Key = nameOf(key)
      const Range = range && `bytes=${range.from}-${range.to ?? ''}`
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, Range }))
        return asUnavailable(Body as Readable)
      } catch (error) {
        throw error instanceof NoSuchKey ? new ObjectMissing(key, { cause: error }) : unavailable(error)
      }
    },
    stat: async (key) => {
      const Key = nameOf(key)
      try {
        return (await client.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength ?? 0
      } catch (error) {
        if (error instanceof NotFound || error instanceof NoSuchKey) return undefined
        throw unavailable(error)
      }
    },
    ...makeS3Uploads({ plain, signer, bucket: Bucket, prefix, unavailable }),
    remove: async (keys) => {
      for (let at = 0; at < keys.length; at += removedAtOnce) await removeSome(keys.slice(at, at + removedAtOnce))
    },
    list,
    ready: () =>
      client.send(new HeadBucketCommand({ Bucket })).then(
        () => true as const,
        (error) => unavailable(error).message,
      ),
    close: () => {
      for (const one of [client, plain, signer]) one.destroy()
    },
  }
}

const unavailable = (error: unknown): Error => {
  if (error instanceof TypeError) return error
  // HEAD has no body: of a refused bucket the SDK knows the status only.
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode ? ` (HTTP ${$metadata.httpStatusCode})` : ''
  return new Unavailable(`S3: ${name}${message && message !== name ? `, ${message}` : ''}${status}`, { cause: error })
}

/** A body that breaks off is the store's failure too. */
async function* asUnavailable(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw unavailable(error)
  }
}

const rejectUnavailable = (error: unknown): never => {
  throw unavailable(error)
}
