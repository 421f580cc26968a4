import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  NoSuchUpload,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { checkKey } from './keys.ts'
import { type BegunUpload, type ObjectStore, PartsDiffer, UploadMissing } from './store.ts'

/** S3 answers when all parts are put together, which for a large object takes it minutes. */
const completeTimeoutMs = 10 * 60_000

interface Options {
  /** Asks for no checksums of its own. */
  plain: S3Client
  /** The same, by the address that others use. */
  signer: S3Client
  bucket: string
  prefix: string
  unavailable: (error: unknown) => Error
}

type S3Uploads = Pick<
  ObjectStore,
  'signGet' | 'signPut' | 'openUpload' | 'signPart' | 'completeUpload' | 'abortUpload' | 'uploads'
>

/** What of a bucket is done by addresses, and in parts. */
export const makeS3Uploads = ({ plain, signer, bucket: Bucket, prefix, unavailable }: Options): S3Uploads => {
  const nameOf = (key: string): string => prefix + checkKey(key)
  const reject = (error: unknown): never => {
    throw unavailable(error)
  }

  async function* uploads(of: string): AsyncGenerator<BegunUpload> {
    let KeyMarker: string | undefined
    let UploadIdMarker: string | undefined
    do {
      const command = new ListMultipartUploadsCommand({ Bucket, Prefix: prefix + of, KeyMarker, UploadIdMarker })
      const page = await plain.send(command).catch(reject)
      for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
        yield { key: Key!.slice(prefix.length), upload: UploadId!, begunAt: Initiated ?? new Date() }
      KeyMarker = page.IsTruncated ? page.NextKeyMarker : undefined
      UploadIdMarker = page.NextUploadIdMarker
    } while (KeyMarker)
  }

  return {
    signGet: (key, { fileName, lifeMs }) => {
      const ResponseContentDisposition = `attachment; filename="${fileName}"`
      const command = new GetObjectCommand({ Bucket, Key: nameOf(key), ResponseContentDisposition })
      return getSignedUrl(signer, command, { expiresIn: seconds(lifeMs) }).catch(reject)
    },
    signPut: (key, { bytes, lifeMs }) => {
      const command = new PutObjectCommand({ Bucket, Key: nameOf(key), ContentLength: bytes })
      const signableHeaders = new Set(['host', 'content-length'])
      return getSignedUrl(signer, command, { expiresIn: seconds(lifeMs), signableHeaders }).catch(reject)
    },
    openUpload: async (key) => {
      const Key = nameOf(key)
      const { UploadId } = await plain.send(new CreateMultipartUploadCommand({ Bucket, Key })).catch(reject)
      return UploadId!
    },
    signPart: (key, UploadId, PartNumber, lifeMs) => {
      const command = new UploadPartCommand({ Bucket, Key: nameOf(key), UploadId, PartNumber })
      return getSignedUrl(signer, command, { expiresIn: seconds(lifeMs) }).catch(reject)
    },
    completeUpload: async (key, UploadId, parts) => {
      const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }))
      const command = new CompleteMultipartUploadCommand({ Bucket, Key: nameOf(key), UploadId, MultipartUpload: { Parts } })
      await plain.send(command, { requestTimeout: completeTimeoutMs }).catch((error: Error) => {
        if (error.name === 'NoSuchUpload') throw new UploadMissing({ cause: error })
        if (partFaults.has(error.name)) throw new PartsDiffer(`The store refuses the parts: ${error.name}.`, { cause: error })
        throw unavailable(error)
      })
    },
    abortUpload: async (key, UploadId) => {
      const Key = nameOf(key)
      await plain.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch((error) => {
        if (!(error instanceof NoSuchUpload)) throw unavailable(error)
      })
    },
    uploads,
  }
}

const seconds = (ms: number): number => Math.max(1, Math.floor(ms / 1000))

const partFaults = new Set(['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall'])
