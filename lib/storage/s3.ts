import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { Unavailable } from '../domain/errors.ts'
import { checkKey } from './keys.ts'
import { ObjectMissing, type ObjectStore, type StoredObject } from './store.ts'

export interface S3Options {
  bucket: string
  /** Unset: AWS, by region. */
  endpoint?: string
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
  const client = new S3Client({
    region: options.region,
    endpoint: options.endpoint,
    forcePathStyle: options.forcePathStyle,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    maxAttempts,
    requestHandler: { requestTimeout: requestTimeoutMs, connectionTimeout: connectTimeoutMs },
  })
  const nameOf = (key: string): string => prefix + checkKey(key)

  async function* list(of: string): AsyncGenerator<StoredObject> {
    let ContinuationToken: string | undefined
    do {
      const page = await client
        .send(new ListObjectsV2Command({ Bucket, Prefix: prefix + of, ContinuationToken }))
        .catch(rejectUnavailable)
      for (const { Key, Size } of page.Contents ?? []) yield { key: Key!.slice(prefix.length), bytes: Size ?? 0 }
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
    remove: async (keys) => {
      for (let at = 0; at < keys.length; at += removedAtOnce) await removeSome(keys.slice(at, at + removedAtOnce))
    },
    list,
    ready: () =>
      client.send(new HeadBucketCommand({ Bucket })).then(
        () => true as const,
        (error) => unavailable(error).message,
      ),
    close: () => client.destroy(),
  }
}

const unavailable = (error: unknown): Error => {
  if (error instanceof TypeError) return error
  // HEAD has no body: of a refused bucket the SDK knows the status only.
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode ? ` (HTTP ${$metadata.httpStatusCode})` : ''
  return new Unavailable(`S3: ${name}${message && message !== name ? `, ${message}` : ''}${status}`, { cause: error })
}

const rejectUnavailable = (error: unknown): never => {
  throw unavailable(error)
}
