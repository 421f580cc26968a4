import { z } from 'zod'
import { fileStrategies } from '../domain/game-config.ts'
import { restartModes } from '../domain/restart-policy.ts'

export const protocols = ['TCP', 'UDP'] as const

/** One port of a game, bound on the machine. */
export const portBindingSchema = z.object({
  name: z.string(),
  containerPort: z.number().int(),
  hostPort: z.number().int(),
  protocol: z.enum(protocols),
  /** Address of the machine to listen on; 0.0.0.0 is all of them. */
  bindAddress: z.string(),
})

export const stopProcedureSchema = z.object({
  /** STDIN writes `value` as a line to the game's console; SIGNAL sends the signal named by it. */
  kind: z.enum(['STDIN', 'SIGNAL']),
  value: z.string(),
  /** How long the game has before SIGKILL. */
  graceSeconds: z.number().int().nonnegative(),
})

export const volumeSchema = z.object({
  name: z.string(),
  /** Absolute path inside the container. */
  mountPath: z.string(),
  readOnly: z.boolean(),
})

/** Another deployment of the same server, whose running container the game reaches by a name. */
export const deploymentLinkSchema = z.object({ alias: z.string(), serverGameConfigId: z.uuid() })

/** Looks after a game that runs and does nothing. What it finds counts as a crash, and the restart policy decides. */
export const watchdogSchema = z.object({
  /** NO_OUTPUT: no line for `seconds`. PORT: the named TCP port has refused connections for `seconds`. */
  kind: z.enum(['NO_OUTPUT', 'PORT']),
  seconds: z.number().int().positive(),
  /** Name of the port, for PORT. */
  port: z.string().nullable(),
})

export const restartPolicySchema = z.object({
  mode: z.enum(restartModes),
  maxRetries: z.number().int().nonnegative(),
  windowSeconds: z.number().int().positive(),
})

export const configFileSchema = z.object({ path: z.string(), strategy: z.enum(fileStrategies), content: z.string() })

/** What a name in a file's template becomes; numbers and booleans are written as such where the format has them. */
export const fileValueSchema = z.object({ text: z.string(), kind: z.enum(['text', 'number', 'boolean']) })

/**
 * Values of SECRET parameters. In the spec stand marks instead (`lib/parameters/secrets.ts`); the values, an object by name as
 * JSON, are sealed to the public key of the host (`lib/crypto/sealed-box.ts`).
 */
export const specSecretsSchema = z.object({ nonce: z.string().regex(/^[0-9a-f]+$/), sealed: z.string() })
export const secretValuesSchema = z.record(z.string(), z.string())

/**
 * Everything a host needs to run one session, with every template rendered but those of files, which it fills in itself.
 * Stays as it is for the session's life.
 */
export const sessionSpecSchema = z.object({
  image: z.string(),
  pullPolicy: z.enum(['IF_MISSING', 'ALWAYS']),
  /** Replaces the image's entrypoint; null keeps it. */
  entrypoint: z.array(z.string()).nullable(),
  /** Replaces the image's command; null keeps it. */
  command: z.array(z.string()).nullable(),
  env: z.record(z.string(), z.string()),
  user: z.string().nullable(),
  workingDir: z.string().nullable(),
  tty: z.boolean(),
  /** Linux capabilities added back, without the CAP_ prefix; all others are dropped. */
  capabilities: z.array(z.string()),
  readOnlyRootfs: z.boolean(),
  /** Where the deployment's own volume is mounted. */
  volumePath: z.string(),
  volumes: z.array(volumeSchema),
  ports: z.array(portBindingSchema),
  /** The game has the machine's network instead of one of its own: no port is published, it listens on the machine itself. */
  hostNetwork: z.boolean().default(false),
  /** Not with `hostNetwork`. */
  links: z.array(deploymentLinkSchema).default([]),
  resources: z.object({
    memoryMb: z.number().int().positive().nullable(),
    cpus: z.number().positive().nullable(),
    pids: z.number().int().positive().nullable(),
    /** A deployment that takes more of the disk is warned of. */
    diskWarnMb: z.number().int().positive().nullable().optional(),
  }),
  stop: stopProcedureSchema,
  /** A line of its output that fits (RE2 syntax) says that players can join. */
  readyPattern: z.string().nullable().default(null),
  /** Without that line within so many seconds of its start it counts as crashed. */
  readyTimeoutSeconds: z.number().int().positive().nullable().default(null),
  watchdog: watchdogSchema.nullable().default(null),
  /** Written into the deployment's own volume before it starts. */
  files: z.array(configFileSchema).default([]),
  /** By name, for the templates of files and actions; secrets are not among them. */
  values: z.record(z.string(), fileValueSchema).default({}),
  secrets: specSecretsSchema.nullable().default(null),
  /** It has so long to end by itself; longer counts as failed. For an install step. */
  timeoutSeconds: z.number().int().positive().nullable().default(null),
})

/**
 * The login for the image's registry, sealed to the public key of the host that pulls (`lib/crypto/sealed-box.ts`): whatever
 * keeps or carries it can't read it.
 */
export const registryAuthSchema = z.object({
  /** As images name it; docker.io for those that name none. */
  registry: z.string(),
  sealed: z.string(),
})
/** What is in the box, as JSON. */
export const registryLoginSchema = z.object({ username: z.string(), password: z.string() })

export type RegistryAuth = z.infer<typeof registryAuthSchema>
export type RegistryLogin = z.infer<typeof registryLoginSchema>
export type PortBinding = z.infer<typeof portBindingSchema>
export type StopProcedure = z.infer<typeof stopProcedureSchema>
export type VolumeDefinition = z.infer<typeof volumeSchema>
export type DeploymentLink = z.infer<typeof deploymentLinkSchema>
export type FileValue = z.infer<typeof fileValueSchema>
export type SessionSpec = z.infer<typeof sessionSpecSchema>

/** Only install steps have to come to an end by themselves. */
export const isInstallStep = ({ timeoutSeconds }: Pick<SessionSpec, 'timeoutSeconds'>): boolean => timeoutSeconds !== null
