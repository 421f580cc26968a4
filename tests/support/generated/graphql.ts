/* eslint-disable */
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type Maybe<T> = T | null;
export type InputMaybe<T> = T | null | undefined;
export type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
export type MakeOptional<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]?: Maybe<T[SubKey]> };
export type MakeMaybe<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]: Maybe<T[SubKey]> };
export type MakeEmpty<T extends { [key: string]: unknown }, K extends keyof T> = { [_ in K]?: never };
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** A moment as RFC 3339 text, in UTC. */
  DateTime: { input: string; output: string; }
  /** Any JSON value. */
  JSON: { input: unknown; output: unknown; }
  /** An integer up to 2^53 as a JSON number: line numbers and byte counts outgrow Int. */
  SafeInt: { input: number; output: number; }
};

export type AbandonSessionResult = ConflictError | NotFoundError | OutcomeUnknownError | Session | UnavailableError;

/** A console command with blanks to fill in, for `runAction`. */
export type Action = {
  /** To be asked before it is run. */
  confirm?: Maybe<Scalars['String']['output']>;
  id: Scalars['ID']['output'];
  inputs: Array<ActionField>;
  label: Scalars['String']['output'];
  name: Scalars['String']['output'];
  template: Scalars['String']['output'];
};

/** A blank of an action. */
export type ActionField = {
  default?: Maybe<Scalars['String']['output']>;
  label?: Maybe<Scalars['String']['output']>;
  max?: Maybe<Scalars['Float']['output']>;
  /** Of the number; for STRING of the length. */
  min?: Maybe<Scalars['Float']['output']>;
  name: Scalars['String']['output'];
  options?: Maybe<Array<Scalars['String']['output']>>;
  pattern?: Maybe<Scalars['String']['output']>;
  required: Scalars['Boolean']['output'];
  type: ActionInputType;
};

export type ActionFieldInput = {
  default?: InputMaybe<Scalars['String']['input']>;
  label?: InputMaybe<Scalars['String']['input']>;
  max?: InputMaybe<Scalars['Float']['input']>;
  /** Of the number; for STRING of the length. */
  min?: InputMaybe<Scalars['Float']['input']>;
  name: Scalars['String']['input'];
  /** For ENUM. */
  options?: InputMaybe<Array<Scalars['String']['input']>>;
  /** RE2 syntax; the whole value must fit. Without one, a STRING must not contain ; or ", which end commands and words. */
  pattern?: InputMaybe<Scalars['String']['input']>;
  /** True unless told. */
  required?: InputMaybe<Scalars['Boolean']['input']>;
  type: ActionInputType;
};

export type ActionInput = {
  confirm?: InputMaybe<Scalars['String']['input']>;
  inputs?: InputMaybe<Array<ActionFieldInput>>;
  label: Scalars['String']['input'];
  /** Letters, digits, - and _; one that is kept keeps its id. */
  name: Scalars['String']['input'];
  /** One line. Knows its inputs, what the platform knows, and the parameters that are no secrets. */
  template: Scalars['String']['input'];
};

export type ActionInputType =
  | 'BOOL'
  | 'ENUM'
  | 'FLOAT'
  | 'INT'
  | 'STRING';

/** An action that somebody ran. */
export type ActionRun = {
  actionId: Scalars['ID']['output'];
  actor: Scalars['String']['output'];
  at: Scalars['DateTime']['output'];
  error?: Maybe<Scalars['String']['output']>;
  id: Scalars['ID']['output'];
  /** What was typed. */
  line: Scalars['String']['output'];
  /** As it was called then. */
  name: Scalars['String']['output'];
  values: Scalars['JSON']['output'];
  /** When the host had written it to the game's stdin. Null where it did not, or nobody knows. */
  writtenAt?: Maybe<Scalars['DateTime']['output']>;
};

export type ActionRunConnection = {
  edges: Array<ActionRunEdge>;
  nodes: Array<ActionRun>;
  pageInfo: PageInfo;
};

export type ActionRunEdge = {
  cursor: Scalars['String']['output'];
  node: ActionRun;
};

/** A token. What it is itself is shown once, when it is made. */
export type ApiToken = {
  createdAt: Scalars['DateTime']['output'];
  createdBy: Scalars['String']['output'];
  expiresAt?: Maybe<Scalars['DateTime']['output']>;
  id: Scalars['ID']['output'];
  kind: ApiTokenKind;
  /** To the minute. */
  lastUsedAt?: Maybe<Scalars['DateTime']['output']>;
  name: Scalars['String']['output'];
  /** How it begins. */
  prefix: Scalars['String']['output'];
  revokedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The most it may do; null is all that its user may. */
  role?: Maybe<Role>;
  /** What it may be used for at most; null is everything. */
  scopes?: Maybe<Array<TokenScope>>;
  /** Null for a service token. */
  user?: Maybe<User>;
};

export type ApiTokenConnection = {
  edges: Array<ApiTokenEdge>;
  nodes: Array<ApiToken>;
  pageInfo: PageInfo;
};

export type ApiTokenEdge = {
  cursor: Scalars['String']['output'];
  node: ApiToken;
};

/** SESSION is what a login gives. */
export type ApiTokenKind =
  | 'API'
  | 'SESSION';

/** A mutation that somebody asked for. */
export type AuditEvent = {
  /** `admin`, the id of a user or of an API token, or `anonymous`. */
  actor: Scalars['String']['output'];
  /** Null for a stranger. */
  actorKind?: Maybe<ViewerKind>;
  /** Of the connection. */
  address?: Maybe<Scalars['String']['output']>;
  /** What the client says it is. */
  agent?: Maybe<Scalars['String']['output']>;
  at: Scalars['DateTime']['output'];
  /** Of the error that it was answered with. */
  code?: Maybe<Scalars['String']['output']>;
  endedAt?: Maybe<Scalars['DateTime']['output']>;
  id: Scalars['ID']['output'];
  /** Its arguments, without what is secret. */
  input: Scalars['JSON']['output'];
  mutation: Scalars['String']['output'];
  outcome: AuditOutcome;
  role?: Maybe<Role>;
  /** The user that the token belongs to. */
  userId?: Maybe<Scalars['String']['output']>;
};

export type AuditEventConnection = {
  edges: Array<AuditEventEdge>;
  nodes: Array<AuditEvent>;
  pageInfo: PageInfo;
};

export type AuditEventEdge = {
  cursor: Scalars['String']['output'];
  node: AuditEvent;
};

/** Every given field narrows. */
export type AuditFilter = {
  /** That of a user finds what their API tokens did as well. */
  actor?: InputMaybe<Scalars['String']['input']>;
  mutation?: InputMaybe<Scalars['String']['input']>;
  outcome?: InputMaybe<AuditOutcome>;
  since?: InputMaybe<Scalars['DateTime']['input']>;
  /** Before that moment. */
  until?: InputMaybe<Scalars['DateTime']['input']>;
};

export type AuditOutcome =
  /** By a fault of ours. */
  | 'FAILED'
  | 'OK'
  /** Nothing was done; `code` says why. */
  | 'REFUSED'
  /** It may have happened: no answer came, or whoever did it died, or is still at it. */
  | 'UNKNOWN';

/** An archive of a deployment's volumes. */
export type Backup = {
  /** Of the archive, stored so far. */
  bytesDone?: Maybe<Scalars['SafeInt']['output']>;
  /** When it ended, however. */
  completedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The same unpacked. */
  contentBytes?: Maybe<Scalars['SafeInt']['output']>;
  createdAt: Scalars['DateTime']['output'];
  deletedAt?: Maybe<Scalars['DateTime']['output']>;
  deployment?: Maybe<ServerGameConfig>;
  /** Where the archive can be had for an hour, by whoever has the address; told to who may have it now. One without a scheme is a path at the door. Null while there is none. */
  downloadUrl?: Maybe<Scalars['String']['output']>;
  /** Files, directories and links in it. */
  entries?: Maybe<Scalars['SafeInt']['output']>;
  /** Why it failed; of a COMPLETED one, why it can not be had now. */
  error?: Maybe<Scalars['String']['output']>;
  id: Scalars['ID']['output'];
  /** Kept whatever the rotation says. */
  locked: Scalars['Boolean']['output'];
  /** Null before it was begun, and once it is COMPLETED. */
  phase?: Maybe<BackupPhase>;
  restores: RestoreConnection;
  /** The session that ran meanwhile. */
  session?: Maybe<Session>;
  sha256?: Maybe<Scalars['String']['output']>;
  /** Of the archive. */
  sizeBytes?: Maybe<Scalars['SafeInt']['output']>;
  status: BackupStatus;
  trigger: BackupTrigger;
  /** What could not be taken as it was. */
  warnings: Array<Scalars['String']['output']>;
};


/** An archive of a deployment's volumes. */
export type BackupRestoresArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

export type BackupConnection = {
  edges: Array<BackupEdge>;
  nodes: Array<Backup>;
  pageInfo: PageInfo;
};

export type BackupEdge = {
  cursor: Scalars['String']['output'];
  node: Backup;
};

export type BackupFile = {
  bytes: Scalars['SafeInt']['output'];
  kind: BackupFileKind;
  /** Permissions. */
  mode?: Maybe<Scalars['Int']['output']>;
  modifiedAt?: Maybe<Scalars['DateTime']['output']>;
  name: Scalars['String']['output'];
  /** In the backup: data/… is the deployment's own volume, volumes/{name}/… its others. */
  path: Scalars['String']['output'];
};

export type BackupFileConnection = {
  edges: Array<BackupFileEdge>;
  nodes: Array<BackupFile>;
  pageInfo: PageInfo;
};

export type BackupFileEdge = {
  cursor: Scalars['String']['output'];
  node: BackupFile;
};

export type BackupFileKind =
  | 'DIRECTORY'
  | 'FILE'
  | 'LINK';

/** Every given field narrows. */
export type BackupFilter = {
  /** True lists deleted ones, which are left out otherwise. */
  deleted?: InputMaybe<Scalars['Boolean']['input']>;
  locked?: InputMaybe<Scalars['Boolean']['input']>;
  statuses?: InputMaybe<Array<BackupStatus>>;
  triggers?: InputMaybe<Array<BackupTrigger>>;
};

/** What its host is at. */
export type BackupPhase =
  | 'PACKING'
  | 'SAVING'
  | 'STORING'
  | 'UPLOADING'
  | 'WAITING';

/** What a deployment wants of its backups, with the defaults filled in. */
export type BackupPolicy = {
  /** What a restore replaces is backed up first. */
  beforeRestore: Scalars['Boolean']['output'];
  /** A session that is asked to stop is backed up first. */
  beforeStop: Scalars['Boolean']['output'];
  /** Globs of what is not taken; stronger than include. Null takes the game config's. */
  exclude?: Maybe<Array<Scalars['String']['output']>>;
  /** 1 is fast, 9 is small. */
  gzipLevel: Scalars['Int']['output'];
  /** Globs of what is taken, relative to the volumes; empty is everything. Null takes the game config's. */
  include?: Maybe<Array<Scalars['String']['output']>>;
  /** The newest one of each of so many days (UTC) that have one. */
  keepDaily?: Maybe<Scalars['Int']['output']>;
  /** The newest so many are kept. Null, with the three below: all of them. */
  keepLast?: Maybe<Scalars['Int']['output']>;
  /** The same of months. */
  keepMonthly?: Maybe<Scalars['Int']['output']>;
  /** The same of weeks, which begin on Monday. */
  keepWeekly?: Maybe<Scalars['Int']['output']>;
  /** Beyond so many none is made. Null is no limit. */
  maxBackups?: Maybe<Scalars['Int']['output']>;
  /** Beyond so many bytes of them none is made. Null is no limit. */
  maxBytes?: Maybe<Scalars['SafeInt']['output']>;
  /** Null takes the game config's. */
  saveHooks?: Maybe<SaveHooks>;
  /** The whole archive is kept on the machine until it is stored, so that a restarted agent goes on uploading. */
  spool: Scalars['Boolean']['output'];
  /** A backup or restore without progress for so long has failed. */
  stallMinutes: Scalars['Int']['output'];
};

/** What is left out stays as it is; null takes the default. */
export type BackupPolicyInput = {
  /** What a restore replaces is backed up first. True unless told. */
  beforeRestore?: InputMaybe<Scalars['Boolean']['input']>;
  /** A session that is asked to stop is backed up first. False unless told. */
  beforeStop?: InputMaybe<Scalars['Boolean']['input']>;
  /** Globs of what is not taken; stronger than include. Null takes the game config's. */
  exclude?: InputMaybe<Array<Scalars['String']['input']>>;
  /** 1 is fast, 9 is small. 6 unless told. */
  gzipLevel?: InputMaybe<Scalars['Int']['input']>;
  /** Globs of what is taken, relative to the volumes; empty is everything. Null takes the game config's. */
  include?: InputMaybe<Array<Scalars['String']['input']>>;
  /** The newest one of each of so many days (UTC) that have one. */
  keepDaily?: InputMaybe<Scalars['Int']['input']>;
  /** The newest so many are kept. Null, with the three below: all of them. */
  keepLast?: InputMaybe<Scalars['Int']['input']>;
  /** The same of months. */
  keepMonthly?: InputMaybe<Scalars['Int']['input']>;
  /** The same of weeks, which begin on Monday. */
  keepWeekly?: InputMaybe<Scalars['Int']['input']>;
  /** Beyond so many none is made. Null is no limit. */
  maxBackups?: InputMaybe<Scalars['Int']['input']>;
  /** Beyond so many bytes of them none is made. Null is no limit. */
  maxBytes?: InputMaybe<Scalars['SafeInt']['input']>;
  /** Null takes the game config's. */
  saveHooks?: InputMaybe<SaveHooksInput>;
  /** The whole archive is kept on the machine until it is stored, so that a restarted agent goes on uploading. False unless told. */
  spool?: InputMaybe<Scalars['Boolean']['input']>;
  /** A backup or restore without progress for so long has failed. 15 unless told. */
  stallMinutes?: InputMaybe<Scalars['Int']['input']>;
};

export type BackupStatus =
  | 'COMPLETED'
  | 'FAILED'
  | 'PENDING'
  | 'RUNNING';

/** What a backup was made for. */
export type BackupTrigger =
  | 'BEFORE_RESTORE'
  | 'BEFORE_STOP'
  | 'MANUAL'
  | 'SCHEDULE'
  | 'TRANSFER';

export type CancelBackupResult = Backup | NotFoundError | OutcomeUnknownError | UnavailableError;

/** What somebody changed. Secrets are named, and not shown. */
export type Change = {
  action: ChangeAction;
  actor: Scalars['String']['output'];
  /** The same fields as they are since. */
  after: Scalars['JSON']['output'];
  at: Scalars['DateTime']['output'];
  /** The fields that differ, as they were. */
  before: Scalars['JSON']['output'];
  id: Scalars['ID']['output'];
};

export type ChangeAction =
  | 'CREATED'
  | 'DELETED'
  | 'UPDATED';

export type ChangeConnection = {
  edges: Array<ChangeEdge>;
  nodes: Array<Change>;
  pageInfo: PageInfo;
};

export type ChangeEdge = {
  cursor: Scalars['String']['output'];
  node: Change;
};

export type ConfigFile = {
  /** A template. */
  content: Scalars['String']['output'];
  /** Within the volume. */
  path: Scalars['String']['output'];
  strategy: FileStrategy;
};

export type ConfigFileInput = {
  /** A template, in the format that the strategy names. */
  content: Scalars['String']['input'];
  /** Within the volume: config/server.properties */
  path: Scalars['String']['input'];
  strategy: FileStrategy;
};

export type ConfirmTotpResult = ConflictError | ForbiddenError | InvalidInputError | OutcomeUnknownError | UnavailableError | User;

export type ConflictError = Error & {
  /** Stable; the same word stands in extensions.code of GraphQL errors. */
  code: Scalars['String']['output'];
  /** A sentence for humans. */
  message: Scalars['String']['output'];
};

export type CreateBackupInput = {
  /** Kept whatever the rotation says. False unless told. */
  locked?: InputMaybe<Scalars['Boolean']['input']>;
  serverGameConfigId: Scalars['ID']['input'];
};

export type CreateBackupResult = Backup | ConflictError | NotFoundError | OutcomeUnknownError | UnavailableError;

export type CreateEnrollmentTokenPayload = {
  /** Shown this once, good for one enrolment within the hour. */
  enrollmentToken: Scalars['String']['output'];
  server: Server;
};

export type CreateEnrollmentTokenResult = CreateEnrollmentTokenPayload | NotFoundError | OutcomeUnknownError | UnavailableError;

export type CreateGameConfigInput = {
  actions?: InputMaybe<Array<ActionInput>>;
  /** Split as a shell splits words, then rendered: a value stays within its word. */
  argsTemplate?: InputMaybe<Scalars['String']['input']>;
  backup?: InputMaybe<GameConfigBackupInput>;
  capabilities?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Exact arguments; not together with argsTemplate. */
  command?: InputMaybe<Array<Scalars['String']['input']>>;
  entrypoint?: InputMaybe<Array<Scalars['String']['input']>>;
  /** An object of templates. */
  envTemplate?: InputMaybe<Scalars['JSON']['input']>;
  /** Written into the volume before each start. */
  files?: InputMaybe<Array<ConfigFileInput>>;
  gameId: Scalars['ID']['input'];
  /** For admins: the machine's network instead of one of its own. Every port must be sameInside. False unless told. */
  hostNetwork?: InputMaybe<Scalars['Boolean']['input']>;
  image: Scalars['String']['input'];
  /** Done once, before the first start. */
  install?: InputMaybe<InstallStepInput>;
  logRetentionDays?: InputMaybe<Scalars['Int']['input']>;
  /** For each deployment. */
  logRetentionMb?: InputMaybe<Scalars['Int']['input']>;
  name: Scalars['String']['input'];
  parameters?: InputMaybe<Array<ParameterDefinitionInput>>;
  ports?: InputMaybe<Array<PortDefinitionInput>>;
  /** IF_MISSING unless told. */
  pullPolicy?: InputMaybe<PullPolicy>;
  readOnlyRootfs?: InputMaybe<Scalars['Boolean']['input']>;
  /** RE2 syntax. */
  readyPattern?: InputMaybe<Scalars['String']['input']>;
  /** Needs a readyPattern. */
  readyTimeoutSeconds?: InputMaybe<Scalars['Int']['input']>;
  resources?: InputMaybe<ResourcesInput>;
  /** SIGTERM with 30 s grace unless told. */
  stop?: InputMaybe<StopProcedureInput>;
  tty?: InputMaybe<Scalars['Boolean']['input']>;
  user?: InputMaybe<Scalars['String']['input']>;
  /** /data/game unless told. */
  volumePath?: InputMaybe<Scalars['String']['input']>;
  volumes?: InputMaybe<Array<VolumeDefinitionInput>>;
  watchdog?: InputMaybe<WatchdogInput>;
  workingDir?: InputMaybe<Scalars['String']['input']>;
};

export type CreateGameConfigResult = ConflictError | GameConfig | InvalidInputError | NotFoundError | OutcomeUnknownError | UnavailableError;

export type CreateGameInput = {
  /** For all its configs. */
  actions?: InputMaybe<Array<ActionInput>>;
  /** An object, kept as it is. */
  metadata?: InputMaybe<Scalars['JSON']['input']>;
  name: Scalars['String']['input'];
  steamAppId?: InputMaybe<Scalars['Int']['input']>;
};

export type CreateGameResult = ConflictError | Game | InvalidInputError | OutcomeUnknownError | UnavailableError;

export type CreateScheduleResult = ConflictError | InvalidInputError | NotFoundError | Schedule;

export type CreateTokenInput = {
  /** Never if left out. */
  expiresAt?: InputMaybe<Scalars['DateTime']['input']>;
  name: Scalars['String']['input'];
  /** No higher than your own. */
  role: Role;
  /** What it may be used for at most; VIEW goes with any. All that you may if left out. */
  scopes?: InputMaybe<Array<TokenScope>>;
  /** It belongs to no user, so that it outlives them. For ADMINs; what a token makes always is one. */
  service?: InputMaybe<Scalars['Boolean']['input']>;
};

export type CreateTokenPayload = {
  /** The token itself. Shown this once. */
  secret: Scalars['String']['output'];
  token: ApiToken;
};

export type CreateTokenResult = CreateTokenPayload | ForbiddenError | InvalidInputError | OutcomeUnknownError | UnavailableError;

export type CreateUserInput = {
  email: Scalars['String']['input'];
  name: Scalars['String']['input'];
  /** At least 12 characters. Without one nobody can log in as them yet. */
  password?: InputMaybe<Scalars['String']['input']>;
  role: Role;
};

export type CreateUserResult = ConflictError | InvalidInputError | OutcomeUnknownError | UnavailableError | User;

export type DeleteBackupResult = ConflictError | DeletePayload | NotFoundError | OutcomeUnknownError | UnavailableError;

export type DeleteGameConfigResult = ConflictError | DeletePayload | NotFoundError | OutcomeUnknownError | UnavailableError;

export type DeleteGameResult = ConflictError | DeletePayload | NotFoundError | OutcomeUnknownError | UnavailableError;

export type DeletePayload = {
  id: Scalars['ID']['output'];
};

export type DeleteRegistryCredentialResult = NotFoundError | OutcomeUnknownError | RegistryCredential | UnavailableError;

export type DeleteScheduleResult = DeletePayload | NotFoundError;

export type DeleteServerGameConfigResult = ConflictError | DeletePayload | NotFoundError | OutcomeUnknownError | UnavailableError;

export type DeleteServerResult = ConflictError | DeletePayload | NotFoundError | OutcomeUnknownError | UnavailableError;

export type DeleteUserResult = DeletePayload | NotFoundError | OutcomeUnknownError | UnavailableError;

export type DeployGameConfigInput = {
  /** Beside those of its config and game. */
  actions?: InputMaybe<Array<ActionInput>>;
  gameConfigId: Scalars['ID']['input'];
  /** At most 32. */
  links?: InputMaybe<Array<DeploymentLinkInput>>;
  /** The config's own unless told, with a number where the server has one of that name. */
  name?: InputMaybe<Scalars['String']['input']>;
  /** An object of values by name. */
  parameters?: InputMaybe<Scalars['JSON']['input']>;
  /** For ports left out, the platform picks. */
  portBindings?: InputMaybe<Array<PortBindingInput>>;
  /** Instead of what the config says. */
  resources?: InputMaybe<ResourcesInput>;
  /** ON_FAILURE unless told. */
  restartPolicy?: InputMaybe<RestartPolicyInput>;
  serverId: Scalars['ID']['input'];
  /** 100 unless told; from 0 to 1000. */
  startPriority?: InputMaybe<Scalars['Int']['input']>;
};

export type DeployGameConfigResult = ConflictError | InvalidInputError | NotFoundError | OutcomeUnknownError | PortConflictError | ServerGameConfig | UnavailableError;

/** A deployment of the same server whose running container is reached by a name. */
export type DeploymentLink = {
  alias: Scalars['String']['output'];
  /** Null for who may not see it. */
  deployment?: Maybe<ServerGameConfig>;
};

export type DeploymentLinkInput = {
  /** A DNS label: lower-case letters, digits and -. */
  alias: Scalars['String']['input'];
  /** Of the same server. */
  serverGameConfigId: Scalars['ID']['input'];
};

/** What a deployment would run. Nothing of it is kept. */
export type DeploymentPreview = {
  /** Null keeps that of the image. */
  command?: Maybe<Array<Scalars['String']['output']>>;
  env: Scalars['JSON']['output'];
  files: Array<FilePreview>;
  /** Why the files are not compared with what the game has. */
  filesNote?: Maybe<Scalars['String']['output']>;
  /** What keeps it from being deployed, or its sessions from starting. */
  issues: Array<PreviewIssue>;
  parameters: Array<ParameterValue>;
  ports: Array<PortBinding>;
  resources: Resources;
};

/** ACTIVE can be started; INSTALLING has its install step done, RESTORING a backup put back, TRANSFERRING moves to another machine; INACTIVE was deleted and is history. Whether it runs, `activeSession` says. */
export type DeploymentStatus =
  | 'ACTIVE'
  | 'INACTIVE'
  | 'INSTALLING'
  | 'RESTORING'
  | 'TRANSFERRING';

export type DisableTotpInput = {
  /** Needed for your own. */
  password?: InputMaybe<Scalars['String']['input']>;
  /** Whose; your own if left out. Those of others an ADMIN disables. */
  userId?: InputMaybe<Scalars['ID']['input']>;
};

export type DisableTotpResult = ConflictError | ForbiddenError | InvalidInputError | NotFoundError | OutcomeUnknownError | UnavailableError | User;

export type DrainServerResult = NotFoundError | OutcomeUnknownError | Server | UnavailableError;

export type EnableTotpPayload = {
  /** To be typed into an authenticator app. Shown this once. */
  secret: Scalars['String']['output'];
  /** The same as a QR code has it. */
  uri: Scalars['String']['output'];
};

export type EnableTotpResult = ConflictError | EnableTotpPayload | ForbiddenError | OutcomeUnknownError | UnavailableError;

export type EnrollServerInput = {
  machineId: Scalars['String']['input'];
  publicKey: Scalars['String']['input'];
  /** Who it is already, where it joins again: a token for another server is not spent. */
  serverId?: InputMaybe<Scalars['ID']['input']>;
  token: Scalars['String']['input'];
};

export type EnrollServerPayload = {
  /** Without credentials. */
  amqpUrl: Scalars['String']['output'];
  password: Scalars['String']['output'];
  serverId: Scalars['ID']['output'];
  username: Scalars['String']['output'];
};

export type EnrollServerResult = EnrollServerPayload | ForbiddenError | InvalidInputError | OutcomeUnknownError | UnavailableError;

/** A failure that a caller can expect, as a member of a mutation result. */
export type Error = {
  /** Stable; the same word stands in extensions.code of GraphQL errors. */
  code: Scalars['String']['output'];
  /** A sentence for humans. */
  message: Scalars['String']['output'];
};

export type FilePreview = {
  /** A unified diff, empty when nothing changes; null when there is too much to be shown. Secrets are hidden. */
  diff?: Maybe<Scalars['String']['output']>;
  exists: Scalars['Boolean']['output'];
  path: Scalars['String']['output'];
};

/** REPLACE writes the whole file. PROPERTIES, INI, JSON, YAML, TOML and XML make the given settings in what the game has written, LINES replaces lines by their beginning; what is not named stays. */
export type FileStrategy =
  | 'INI'
  | 'JSON'
  | 'LINES'
  | 'PROPERTIES'
  | 'REPLACE'
  | 'TOML'
  | 'XML'
  | 'YAML';

export type ForbiddenError = Error & {
  /** Stable; the same word stands in extensions.code of GraphQL errors. */
  code: Scalars['String']['output'];
  /** A sentence for humans. */
  message: Scalars['String']['output'];
};

/** A title that can be run. */
export type Game = {
  /** For all its configs. */
  actions: Array<Action>;
  /** Who changed it, the oldest first; `last: 10` gives the newest ten. */
  changes: ChangeConnection;
  configs: GameConfigConnection;
  id: Scalars['ID']['output'];
  metadata: Scalars['JSON']['output'];
  name: Scalars['String']['output'];
  steamAppId?: Maybe<Scalars['Int']['output']>;
};


/** A title that can be run. */
export type GameChangesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A title that can be run. */
export type GameConfigsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

/** How to run a game: image, command, environment, ports, volumes, limits, stop procedure. */
export type GameConfig = {
  /** Its own; those of its game count too. */
  actions: Array<Action>;
  /** Split as a shell splits words, then rendered: a value stays within its word. */
  argsTemplate?: Maybe<Scalars['String']['output']>;
  backup: GameConfigBackup;
  /** Linux capabilities added back; all others are dropped. */
  capabilities: Array<Scalars['String']['output']>;
  /** Who changed it, the oldest first; `last: 10` gives the newest ten. */
  changes: ChangeConnection;
  /** Exact arguments. Null keeps the command of the image. */
  command?: Maybe<Array<Scalars['String']['output']>>;
  deletedAt?: Maybe<Scalars['DateTime']['output']>;
  deployments: ServerGameConfigConnection;
  /** Null keeps the image's. */
  entrypoint?: Maybe<Array<Scalars['String']['output']>>;
  /** Templates by variable name. */
  envTemplate: Scalars['JSON']['output'];
  /** Written into the volume before each start. */
  files: Array<ConfigFile>;
  game: Game;
  /** The game has the machine's network instead of one of its own, and its ports are all `sameInside`. It gives up what a network of its own keeps apart: the game can listen on any port and address of the machine, reaches what listens on its loopback, and no address that a port is bound to is enforced. No links lead from it or to it. */
  hostNetwork: Scalars['Boolean']['output'];
  id: Scalars['ID']['output'];
  image: Scalars['String']['output'];
  install?: Maybe<InstallStep>;
  /** Archived log lines are kept so long. Null: as long as the installation says, 30 days unless told. */
  logRetentionDays?: Maybe<Scalars['Int']['output']>;
  /** Of each deployment's archived logs, compressed, so much is kept; the oldest lines go first. Null: all. */
  logRetentionMb?: Maybe<Scalars['Int']['output']>;
  name: Scalars['String']['output'];
  parameters: Array<ParameterDefinition>;
  ports: Array<PortDefinition>;
  pullPolicy: PullPolicy;
  readOnlyRootfs: Scalars['Boolean']['output'];
  /** A line of its output that fits (RE2 syntax) says that players can join. */
  readyPattern?: Maybe<Scalars['String']['output']>;
  /** Without that line in time the session counts as crashed. */
  readyTimeoutSeconds?: Maybe<Scalars['Int']['output']>;
  resources: Resources;
  stop: StopProcedure;
  tty: Scalars['Boolean']['output'];
  user?: Maybe<Scalars['String']['output']>;
  /** Where the deployment's own volume is mounted. */
  volumePath: Scalars['String']['output'];
  volumes: Array<VolumeDefinition>;
  watchdog?: Maybe<Watchdog>;
  workingDir?: Maybe<Scalars['String']['output']>;
  /** As our YAML, for `importGameConfig`: here, or in another installation. */
  yaml: Scalars['String']['output'];
};


/** How to run a game: image, command, environment, ports, volumes, limits, stop procedure. */
export type GameConfigChangesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** How to run a game: image, command, environment, ports, volumes, limits, stop procedure. */
export type GameConfigDeploymentsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

/** How the game is made to save, and what of its volumes is no save. A backup policy may say otherwise. */
export type GameConfigBackup = {
  /** Globs of what is not taken; stronger than include. */
  exclude: Array<Scalars['String']['output']>;
  /** Globs of what is taken, relative to the volumes; empty is everything. */
  include: Array<Scalars['String']['output']>;
  saveHooks?: Maybe<SaveHooks>;
};

/** How the game is made to save, and what of its volumes is no save. */
export type GameConfigBackupInput = {
  /** Globs of what is not taken; stronger than include. */
  exclude?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Globs of what is taken, relative to the volumes; everything unless told. */
  include?: InputMaybe<Array<Scalars['String']['input']>>;
  saveHooks?: InputMaybe<SaveHooksInput>;
};

export type GameConfigConnection = {
  edges: Array<GameConfigEdge>;
  nodes: Array<GameConfig>;
  pageInfo: PageInfo;
};

export type GameConfigEdge = {
  cursor: Scalars['String']['output'];
  node: GameConfig;
};

export type GameConnection = {
  edges: Array<GameEdge>;
  nodes: Array<Game>;
  pageInfo: PageInfo;
};

export type GameEdge = {
  cursor: Scalars['String']['output'];
  node: Game;
};

/** What a user may do beside what their role gives: on one server with all on it, one game, or one deployment. */
export type Grant = {
  /** Or was changed last. */
  createdAt: Scalars['DateTime']['output'];
  createdBy: Scalars['String']['output'];
  deployment?: Maybe<ServerGameConfig>;
  game?: Maybe<Game>;
  id: Scalars['ID']['output'];
  permissions: Array<Permission>;
  server?: Maybe<Server>;
  user?: Maybe<User>;
};

export type GrantConnection = {
  edges: Array<GrantEdge>;
  nodes: Array<Grant>;
  pageInfo: PageInfo;
};

export type GrantEdge = {
  cursor: Scalars['String']['output'];
  node: Grant;
};

export type ImportEggInput = {
  /** Without one the game is named after the egg, made or reused. */
  gameId?: InputMaybe<Scalars['ID']['input']>;
  /** The egg's own text: JSON of Pterodactyl, JSON or YAML of Pelican. */
  source: Scalars['String']['input'];
};

export type ImportEggPayload = {
  gameConfig: GameConfig;
  unmapped: Array<UnmappedField>;
};

export type ImportEggResult = ConflictError | ImportEggPayload | InvalidInputError | NotFoundError | OutcomeUnknownError | UnavailableError;

export type ImportGameConfigInput = {
  /** Without one the game is the one it names, made or reused. */
  gameId?: InputMaybe<Scalars['ID']['input']>;
  /** YAML as `GameConfig.yaml` writes it. */
  source: Scalars['String']['input'];
};

export type ImportGameConfigResult = ConflictError | GameConfig | InvalidInputError | NotFoundError | OutcomeUnknownError | PortConflictError | UnavailableError;

export type ImportPresetInput = {
  /** As `presets` names it: minecraft, cs2 … */
  name: Scalars['String']['input'];
};

export type ImportPresetResult = ConflictError | GameConfig | InvalidInputError | NotFoundError | OutcomeUnknownError | PortConflictError | UnavailableError;

export type InputIssue = {
  message: Scalars['String']['output'];
  /** Dotted, from the root of the input: ports.0.containerPort */
  path: Scalars['String']['output'];
};

/** A container that runs once before the first start, with the deployment's own volume and the game's environment. */
export type InstallStep = {
  capabilities: Array<Scalars['String']['output']>;
  /** Gets the script as its last argument. */
  entrypoint: Array<Scalars['String']['output']>;
  image: Scalars['String']['output'];
  /** No template: it is run as it is. */
  script: Scalars['String']['output'];
  timeoutSeconds: Scalars['Int']['output'];
  user?: Maybe<Scalars['String']['output']>;
  volumePath: Scalars['String']['output'];
};

export type InstallStepInput = {
  /** None unless told. */
  capabilities?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Gets the script as its last argument. /bin/sh -ec unless told. */
  entrypoint?: InputMaybe<Array<Scalars['String']['input']>>;
  image: Scalars['String']['input'];
  /** No template: it is run as it is. */
  script: Scalars['String']['input'];
  /** 3600 unless told. */
  timeoutSeconds?: InputMaybe<Scalars['Int']['input']>;
  /** The image's unless told. */
  user?: InputMaybe<Scalars['String']['input']>;
  /** /mnt/server unless told. */
  volumePath?: InputMaybe<Scalars['String']['input']>;
};

export type InvalidInputError = Error & {
  /** Stable; the same word stands in extensions.code of GraphQL errors. */
  code: Scalars['String']['output'];
  /** Every fault at once. */
  issues: Array<InputIssue>;
  /** A sentence for humans. */
  message: Scalars['String']['output'];
};

export type KillSessionResult = NotFoundError | OutcomeUnknownError | Session | UnavailableError;

export type ListOrder =
  | 'NAME'
  | 'NEWEST_FIRST'
  | 'OLDEST_FIRST';

/** Lines that can not be had any more. */
export type LogGap = {
  fromSeq?: Maybe<Scalars['SafeInt']['output']>;
  kind: LogGapKind;
  lostLines?: Maybe<Scalars['SafeInt']['output']>;
  reason: Scalars['String']['output'];
  toSeq?: Maybe<Scalars['SafeInt']['output']>;
};

export type LogGapKind =
  | 'EXPIRED'
  | 'LOST_AT_SOURCE'
  | 'SKIPPED_FOR_VIEWER';

export type LogLine = {
  at: Scalars['DateTime']['output'];
  /** Counts 1, 2, 3 … within a session, without holes. */
  seq: Scalars['SafeInt']['output'];
  stream: LogStream;
  text: Scalars['String']['output'];
};

/** INPUT is what an operator typed, SYSTEM what the platform did. */
export type LogStream =
  | 'INPUT'
  | 'STDERR'
  | 'STDOUT'
  | 'SYSTEM';

export type LoginInput = {
  email: Scalars['String']['input'];
  password: Scalars['String']['input'];
  /** Where the account asks for one; without it the answer says so. */
  totpCode?: InputMaybe<Scalars['String']['input']>;
};

export type LoginPayload = {
  expiresAt: Scalars['DateTime']['output'];
  /** Send it as `Authorization: Bearer …`. */
  token: Scalars['String']['output'];
  user: User;
};

export type LoginResult = ForbiddenError | InvalidInputError | LoginPayload | OutcomeUnknownError | UnavailableError;

export type LogoutResult = ApiToken | ForbiddenError | OutcomeUnknownError | UnavailableError;

export type Mutation = {
  /** For a host that is gone for good: ends the session without it. Already ended is success. */
  abandonSession: AbandonSessionResult;
  /** Ends a backup that is under way: it has FAILED. Already ended is success. */
  cancelBackup: CancelBackupResult;
  confirmTotp: ConfirmTotpResult;
  /** Answers with a PENDING backup; how it goes on, `backupChanged` tells. A session may run meanwhile. */
  createBackup: CreateBackupResult;
  /** A new token for a server that is there: who joins with it is its host from then on, with all its sessions, and who was it before is not any more. Tokens given before and not used are no longer good. */
  createEnrollmentToken: CreateEnrollmentTokenResult;
  createGame: CreateGameResult;
  /** Refused with every fault at once. */
  createGameConfig: CreateGameConfigResult;
  createSchedule: CreateScheduleResult;
  createToken: CreateTokenResult;
  createUser: CreateUserResult;
  /** With all that is stored of it. Already deleted is success. */
  deleteBackup: DeleteBackupResult;
  /** Refused while it has configs. Already so is success. */
  deleteGame: DeleteGameResult;
  /** Refused while it is deployed. Already so is success. */
  deleteGameConfig: DeleteGameConfigResult;
  /** Answers what was deleted. */
  deleteRegistryCredential: DeleteRegistryCredentialResult;
  deleteSchedule: DeleteScheduleResult;
  /** Refused while it has deployments or live sessions, unless forced: then they are deleted and abandoned. Its host ends all games it still has, and itself, when it hears of it. Already so is success. */
  deleteServer: DeleteServerResult;
  /** Frees its ports. Refused while a session lives, or another deployment has a link to it. Already so is success. */
  deleteServerGameConfig: DeleteServerGameConfigResult;
  /** Their tokens count no longer, and their WebSockets are closed within 5 s. Already so is success. */
  deleteUser: DeleteUserResult;
  /** Places a config on a server, with all its ports or not at all. */
  deployGameConfig: DeployGameConfigResult;
  /** Already so is success. */
  disableTotp: DisableTotpResult;
  /** It takes no new sessions from now on; those that run go on. Already so is success. */
  drainServer: DrainServerResult;
  /** A secret for codes. Logins ask for them once `confirmTotp` has seen one. */
  enableTotp: EnableTotpResult;
  /** Spends an enrollment token: the caller becomes its server's host. Needs no other credentials. */
  enrollServer: EnrollServerResult;
  /** Makes a config from an egg. A taken name gets a number: Paper (2). */
  importEgg: ImportEggResult;
  /** Makes a config from our YAML; the one of its name in its game is replaced. */
  importGameConfig: ImportGameConfigResult;
  /** Makes the game and the config of a preset, or makes them again what the preset says. */
  importPreset: ImportPresetResult;
  /** Without asking the game. Already ended is success. */
  killSession: KillSessionResult;
  /** Needs no token. LIMIT_EXCEEDED after 10 attempts on an account, or 100 from an address, within 15 minutes. */
  login: LoginResult;
  /** Ends the login that asks. */
  logout: LogoutResult;
  /** Adds a machine to the fleet. It comes ONLINE once its host has enrolled. */
  registerServer: RegisterServerResult;
  /** Does the install step again, with the volume as it is. It shows as `install`, a session of kind INSTALL. */
  reinstallDeployment: ReinstallDeploymentResult;
  /** It counts no longer, and WebSockets of its user are closed within 5 s. */
  removeGrant: RemoveGrantResult;
  /** Answers with the new session, which waits until the old one has stopped. */
  restartSession: RestartSessionResult;
  /** Answers with a PENDING restore; how it goes on, `restoreChanged` tells. No session of the deployment may be live, and none begins before it is over. */
  restoreBackup: RestoreBackupResult;
  /** Ends what its host may do at the broker, and closes its connections: for credentials that were stolen. Its games go on. `createEnrollmentToken` lets it join again. Already so is success. */
  revokeServerCredentials: RevokeServerCredentialsResult;
  /** It counts no longer, and its WebSockets are closed within 5 s. One of your own, or any for an ADMIN. Already so is success. */
  revokeToken: RevokeTokenResult;
  /** Gives its host new credentials for the broker, without a restart. Those before are good until it has taken the new ones into use: the condition CREDENTIALS_OFFERED lasts so long. Under way already is success. */
  rotateServerCredentials: RotateServerCredentialsResult;
  /** Types an action of the session's deployment into its console, filled in with `values`. */
  runAction: RunActionResult;
  /** Runs it now, enabled or not. */
  runSchedule: RunScheduleResult;
  /** Types a line into a running session's console. */
  sendInput: SendInputResult;
  /** In place of what the user was granted on it before. WebSockets of theirs are closed within 5 s. */
  setGrant: SetGrantResult;
  /** Ends all their other logins. */
  setPassword: SetPasswordResult;
  /** Replaces the login of this registry. Sessions that start from now on pull with it. */
  setRegistryCredential: SetRegistryCredentialResult;
  /** Answers with a PENDING session; whether it runs, `sessionChanged` tells. An install step that was not done comes first. */
  startSession: StartSessionResult;
  /** By the config's stop procedure, and killed after its grace. Already ended or stopping is success. Where the backup policy says beforeStop, a running session is backed up first (`stopsAfter`); asked again, it stops at once. */
  stopSession: StopSessionResult;
  /** Moves it with its data: stops its session, backs it up, restores it there and starts it again. What fails goes back. */
  transferDeployment: TransferDeploymentResult;
  /** It takes sessions again. Already so is success. */
  undrainServer: UndrainServerResult;
  updateBackup: UpdateBackupResult;
  updateBackupPolicy: UpdateBackupPolicyResult;
  updateGame: UpdateGameResult;
  /** Counts for sessions that start from now on; a changed stop procedure also for those that live. Deployments get added ports at once. */
  updateGameConfig: UpdateGameConfigResult;
  /** A run that is under way goes on as it began. */
  updateSchedule: UpdateScheduleResult;
  updateServer: UpdateServerResult;
  /** Ports count from the next session on; what a live one binds stays held until its container is gone. A changed restart policy counts at once. */
  updateServerGameConfig: UpdateServerGameConfigResult;
  /** Another role counts at once: open WebSockets of theirs are closed within 5 s. */
  updateUser: UpdateUserResult;
};


export type MutationAbandonSessionArgs = {
  input: StopSessionInput;
};


export type MutationCancelBackupArgs = {
  id: Scalars['ID']['input'];
};


export type MutationConfirmTotpArgs = {
  code: Scalars['String']['input'];
};


export type MutationCreateBackupArgs = {
  input: CreateBackupInput;
};


export type MutationCreateEnrollmentTokenArgs = {
  serverId: Scalars['ID']['input'];
};


export type MutationCreateGameArgs = {
  input: CreateGameInput;
};


export type MutationCreateGameConfigArgs = {
  input: CreateGameConfigInput;
};


export type MutationCreateScheduleArgs = {
  input: ScheduleInput;
};


export type MutationCreateTokenArgs = {
  input: CreateTokenInput;
};


export type MutationCreateUserArgs = {
  input: CreateUserInput;
};


export type MutationDeleteBackupArgs = {
  id: Scalars['ID']['input'];
};


export type MutationDeleteGameArgs = {
  id: Scalars['ID']['input'];
};


export type MutationDeleteGameConfigArgs = {
  id: Scalars['ID']['input'];
};


export type MutationDeleteRegistryCredentialArgs = {
  host: Scalars['String']['input'];
};


export type MutationDeleteScheduleArgs = {
  id: Scalars['ID']['input'];
};


export type MutationDeleteServerArgs = {
  force?: InputMaybe<Scalars['Boolean']['input']>;
  id: Scalars['ID']['input'];
};


export type MutationDeleteServerGameConfigArgs = {
  id: Scalars['ID']['input'];
};


export type MutationDeleteUserArgs = {
  id: Scalars['ID']['input'];
};


export type MutationDeployGameConfigArgs = {
  input: DeployGameConfigInput;
};


export type MutationDisableTotpArgs = {
  input: DisableTotpInput;
};


export type MutationDrainServerArgs = {
  id: Scalars['ID']['input'];
};


export type MutationEnableTotpArgs = {
  password: Scalars['String']['input'];
};


export type MutationEnrollServerArgs = {
  input: EnrollServerInput;
};


export type MutationImportEggArgs = {
  input: ImportEggInput;
};


export type MutationImportGameConfigArgs = {
  input: ImportGameConfigInput;
};


export type MutationImportPresetArgs = {
  input: ImportPresetInput;
};


export type MutationKillSessionArgs = {
  input: StopSessionInput;
};


export type MutationLoginArgs = {
  input: LoginInput;
};


export type MutationRegisterServerArgs = {
  input: RegisterServerInput;
};


export type MutationReinstallDeploymentArgs = {
  id: Scalars['ID']['input'];
};


export type MutationRemoveGrantArgs = {
  id: Scalars['ID']['input'];
};


export type MutationRestartSessionArgs = {
  input: RestartSessionInput;
};


export type MutationRestoreBackupArgs = {
  input: RestoreBackupInput;
};


export type MutationRevokeServerCredentialsArgs = {
  id: Scalars['ID']['input'];
};


export type MutationRevokeTokenArgs = {
  id: Scalars['ID']['input'];
};


export type MutationRotateServerCredentialsArgs = {
  id: Scalars['ID']['input'];
};


export type MutationRunActionArgs = {
  input: RunActionInput;
};


export type MutationRunScheduleArgs = {
  id: Scalars['ID']['input'];
};


export type MutationSendInputArgs = {
  input: SendInputInput;
};


export type MutationSetGrantArgs = {
  input: SetGrantInput;
};


export type MutationSetPasswordArgs = {
  input: SetPasswordInput;
};


export type MutationSetRegistryCredentialArgs = {
  input: SetRegistryCredentialInput;
};


export type MutationStartSessionArgs = {
  input: StartSessionInput;
};


export type MutationStopSessionArgs = {
  input: StopSessionInput;
};


export type MutationTransferDeploymentArgs = {
  input: TransferDeploymentInput;
};


export type MutationUndrainServerArgs = {
  id: Scalars['ID']['input'];
};


export type MutationUpdateBackupArgs = {
  id: Scalars['ID']['input'];
  input: UpdateBackupInput;
};


export type MutationUpdateBackupPolicyArgs = {
  input: BackupPolicyInput;
  serverGameConfigId: Scalars['ID']['input'];
};


export type MutationUpdateGameArgs = {
  id: Scalars['ID']['input'];
  input: UpdateGameInput;
};


export type MutationUpdateGameConfigArgs = {
  id: Scalars['ID']['input'];
  input: UpdateGameConfigInput;
};


export type MutationUpdateScheduleArgs = {
  id: Scalars['ID']['input'];
  input: ScheduleInput;
};


export type MutationUpdateServerArgs = {
  id: Scalars['ID']['input'];
  input: UpdateServerInput;
};


export type MutationUpdateServerGameConfigArgs = {
  id: Scalars['ID']['input'];
  input: UpdateServerGameConfigInput;
};


export type MutationUpdateUserArgs = {
  id: Scalars['ID']['input'];
  input: UpdateUserInput;
};

export type NotFoundError = Error & {
  /** Stable; the same word stands in extensions.code of GraphQL errors. */
  code: Scalars['String']['output'];
  /** A sentence for humans. */
  message: Scalars['String']['output'];
};

export type OutcomeUnknownError = Error & {
  /** Stable; the same word stands in extensions.code of GraphQL errors. */
  code: Scalars['String']['output'];
  /** A sentence for humans. */
  message: Scalars['String']['output'];
};

export type PageInfo = {
  endCursor?: Maybe<Scalars['String']['output']>;
  hasNextPage: Scalars['Boolean']['output'];
  hasPreviousPage: Scalars['Boolean']['output'];
  startCursor?: Maybe<Scalars['String']['output']>;
};

/** Something that operators set; templates know it as {{name}}. */
export type ParameterDefinition = {
  default?: Maybe<Scalars['String']['output']>;
  description?: Maybe<Scalars['String']['output']>;
  max?: Maybe<Scalars['Float']['output']>;
  /** Of the number; for STRING and SECRET of the length. */
  min?: Maybe<Scalars['Float']['output']>;
  name: Scalars['String']['output'];
  options?: Maybe<Array<Scalars['String']['output']>>;
  /** RE2 syntax; the whole value fits. */
  pattern?: Maybe<Scalars['String']['output']>;
  /** No session starts without a value. */
  required: Scalars['Boolean']['output'];
  type: ParameterType;
  userEditable: Scalars['Boolean']['output'];
};

export type ParameterDefinitionInput = {
  /** Not for SECRET. */
  default?: InputMaybe<Scalars['String']['input']>;
  description?: InputMaybe<Scalars['String']['input']>;
  max?: InputMaybe<Scalars['Float']['input']>;
  /** Of the number; for STRING and SECRET of the length. */
  min?: InputMaybe<Scalars['Float']['input']>;
  /** Letters, digits and _; templates know it as {{name}}. */
  name: Scalars['String']['input'];
  /** For ENUM. */
  options?: InputMaybe<Array<Scalars['String']['input']>>;
  /** RE2 syntax; the whole value must fit. For STRING and SECRET. */
  pattern?: InputMaybe<Scalars['String']['input']>;
  required?: InputMaybe<Scalars['Boolean']['input']>;
  type: ParameterType;
  /** True unless told. */
  userEditable?: InputMaybe<Scalars['Boolean']['input']>;
};

/** A SECRET is write-only: kept encrypted, opened by the host alone, hidden in logs and wherever it would be shown. */
export type ParameterType =
  | 'BOOL'
  | 'ENUM'
  | 'FLOAT'
  | 'INT'
  | 'SECRET'
  | 'STRING';

export type ParameterValue = {
  name: Scalars['String']['output'];
  /** DEFAULT (the config), DEPLOYMENT or SESSION: where the value comes from. NONE without one. */
  source: Scalars['String']['output'];
  /** As text. Null without one, and always for a SECRET. */
  value?: Maybe<Scalars['String']['output']>;
};

export type Permission =
  /** Make, restore, download and delete backups. */
  | 'BACKUPS'
  /** Change settings and schedules, but for what reaches beyond the container. */
  | 'CONFIGURE'
  /** Type into the console, and run actions. */
  | 'CONSOLE'
  /** Start, stop, kill and restart; install again; run schedules. */
  | 'CONTROL'
  /** See the game's files, as previews show them. */
  | 'FILES'
  /** Look at it, and at what it is part of. Goes with all others. */
  | 'VIEW';

export type PortBinding = {
  bindAddress: Scalars['String']['output'];
  containerPort: Scalars['Int']['output'];
  hostPort: Scalars['Int']['output'];
  name: Scalars['String']['output'];
  protocol: Protocol;
};

export type PortBindingInput = {
  /** One address of the machine; 0.0.0.0, all of them, unless told. */
  bindAddress?: InputMaybe<Scalars['String']['input']>;
  /** Picked from the server's range unless told. */
  hostPort?: InputMaybe<Scalars['Int']['input']>;
  /** Of a port that the config declares. */
  name: Scalars['String']['input'];
};

export type PortConflict = {
  /** Who holds it. */
  deployment?: Maybe<ServerGameConfig>;
  port: Scalars['Int']['output'];
  protocol: Protocol;
};

/** Ports asked for are held by other deployments; nothing was changed. */
export type PortConflictError = Error & {
  /** Stable; the same word stands in extensions.code of GraphQL errors. */
  code: Scalars['String']['output'];
  conflicts: Array<PortConflict>;
  /** A sentence for humans. */
  message: Scalars['String']['output'];
};

export type PortDefinition = {
  containerPort: Scalars['Int']['output'];
  /** Name of a port of which this one is always the next number. */
  follows?: Maybe<Scalars['String']['output']>;
  name: Scalars['String']['output'];
  protocol: Protocol;
  /** The game listens on the host port itself, whatever that becomes. */
  sameInside: Scalars['Boolean']['output'];
};

export type PortDefinitionInput = {
  containerPort: Scalars['Int']['input'];
  /** Name of a port of which this one is always the next number. */
  follows?: InputMaybe<Scalars['String']['input']>;
  /** Templates know the host port as {{port.<name>}}. */
  name: Scalars['String']['input'];
  protocol: Protocol;
  /** The game listens on the host port itself, whatever that becomes. */
  sameInside?: InputMaybe<Scalars['Boolean']['input']>;
};

/** A known game with a config that runs it. */
export type Preset = {
  game: Scalars['String']['output'];
  image: Scalars['String']['output'];
  /** For `importPreset`. */
  name: Scalars['String']['output'];
  sourceDate?: Maybe<Scalars['String']['output']>;
  /** Where it was read how this game is run. */
  sourceUrl?: Maybe<Scalars['String']['output']>;
  /** Run by ManMan's own tests. */
  verified: Scalars['Boolean']['output'];
  yaml: Scalars['String']['output'];
};

export type PreviewIssue = {
  message: Scalars['String']['output'];
  path: Scalars['String']['output'];
};

export type Protocol =
  | 'TCP'
  | 'UDP';

export type PullPolicy =
  | 'ALWAYS'
  | 'IF_MISSING';

export type Query = {
  /** Who did what, the oldest first; `last: 10` gives the newest ten. */
  auditEvents: AuditEventConnection;
  backup?: Maybe<Backup>;
  /** What is in a directory of a backup, which is not downloaded for it. */
  backupFiles: BackupFileConnection;
  /** The oldest first; `last: 10` gives the newest ten. */
  backups: BackupConnection;
  game?: Maybe<Game>;
  gameConfig?: Maybe<GameConfig>;
  gameConfigs: GameConfigConnection;
  games: GameConnection;
  presets: Array<Preset>;
  /** With a deployment: what it would run with this input instead of its own; values left out stay. */
  previewDeployment: DeploymentPreview;
  registryCredentials: RegistryCredentialConnection;
  restore?: Maybe<Restore>;
  schedule?: Maybe<Schedule>;
  schedules: ScheduleConnection;
  server?: Maybe<Server>;
  serverGameConfig?: Maybe<ServerGameConfig>;
  serverGameConfigs: ServerGameConfigConnection;
  /** Machines of the fleet, the oldest first; without deleted ones. */
  servers: ServerConnection;
  session?: Maybe<Session>;
  /** The oldest first; `last: 10` gives the newest ten. */
  sessions: SessionConnection;
  /** One's own; an ADMIN sees all. */
  tokens: ApiTokenConnection;
  transfer?: Maybe<Transfer>;
  user?: Maybe<User>;
  /** The oldest first; without deleted ones. */
  users: UserConnection;
  viewer: Viewer;
};


export type QueryAuditEventsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<AuditFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


export type QueryBackupArgs = {
  id: Scalars['ID']['input'];
};


export type QueryBackupFilesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  backupId: Scalars['ID']['input'];
  first?: InputMaybe<Scalars['Int']['input']>;
  path?: InputMaybe<Scalars['String']['input']>;
};


export type QueryBackupsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<BackupFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  serverGameConfigId?: InputMaybe<Scalars['ID']['input']>;
};


export type QueryGameArgs = {
  id: Scalars['ID']['input'];
};


export type QueryGameConfigArgs = {
  id: Scalars['ID']['input'];
};


export type QueryGameConfigsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  gameId?: InputMaybe<Scalars['ID']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  nameContains?: InputMaybe<Scalars['String']['input']>;
  orderBy?: InputMaybe<ListOrder>;
};


export type QueryGamesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  nameContains?: InputMaybe<Scalars['String']['input']>;
  orderBy?: InputMaybe<ListOrder>;
};


export type QueryPreviewDeploymentArgs = {
  input: DeployGameConfigInput;
  serverGameConfigId?: InputMaybe<Scalars['ID']['input']>;
};


export type QueryRegistryCredentialsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


export type QueryRestoreArgs = {
  id: Scalars['ID']['input'];
};


export type QueryScheduleArgs = {
  id: Scalars['ID']['input'];
};


export type QuerySchedulesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  serverGameConfigId: Scalars['ID']['input'];
};


export type QueryServerArgs = {
  id: Scalars['ID']['input'];
};


export type QueryServerGameConfigArgs = {
  id: Scalars['ID']['input'];
};


export type QueryServerGameConfigsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  gameConfigId?: InputMaybe<Scalars['ID']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  nameContains?: InputMaybe<Scalars['String']['input']>;
  orderBy?: InputMaybe<ListOrder>;
  serverId?: InputMaybe<Scalars['ID']['input']>;
};


export type QueryServersArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


export type QuerySessionArgs = {
  id: Scalars['ID']['input'];
};


export type QuerySessionsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<SessionFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


export type QueryTokensArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


export type QueryTransferArgs = {
  id: Scalars['ID']['input'];
};


export type QueryUserArgs = {
  id: Scalars['ID']['input'];
};


export type QueryUsersArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

export type RegisterServerInput = {
  environment?: InputMaybe<Scalars['String']['input']>;
  /** An object of texts. */
  labels?: InputMaybe<Scalars['JSON']['input']>;
  name: Scalars['String']['input'];
  /** Host ports to hand out, as `20000-29999` (the default). */
  portRange?: InputMaybe<Scalars['String']['input']>;
  /** Host name or IP address that players connect to. */
  publicAddress?: InputMaybe<Scalars['String']['input']>;
};

export type RegisterServerPayload = {
  /** Shown this once. Good for one enrolment within the hour: `manman host --join URL --token T`. */
  enrollmentToken: Scalars['String']['output'];
  server: Server;
};

export type RegisterServerResult = ConflictError | InvalidInputError | OutcomeUnknownError | RegisterServerPayload | UnavailableError;

/** A login at a private registry. Its password is never shown. */
export type RegistryCredential = {
  /** As images name it: ghcr.io, registry.example:5000; docker.io for those that name none. */
  host: Scalars['String']['output'];
  id: Scalars['ID']['output'];
  updatedAt: Scalars['DateTime']['output'];
  username: Scalars['String']['output'];
};

export type RegistryCredentialConnection = {
  edges: Array<RegistryCredentialEdge>;
  nodes: Array<RegistryCredential>;
  pageInfo: PageInfo;
};

export type RegistryCredentialEdge = {
  cursor: Scalars['String']['output'];
  node: RegistryCredential;
};

export type ReinstallDeploymentResult = ConflictError | InvalidInputError | NotFoundError | OutcomeUnknownError | ServerGameConfig | UnavailableError;

export type RemoveGrantResult = DeletePayload | NotFoundError | OutcomeUnknownError | UnavailableError;

/** Limits; null is none of our own. */
export type Resources = {
  cpus?: Maybe<Scalars['Float']['output']>;
  /** No limit, but a warning when the volumes of a deployment are larger. */
  diskWarnMb?: Maybe<Scalars['Int']['output']>;
  memoryMb?: Maybe<Scalars['Int']['output']>;
  pids?: Maybe<Scalars['Int']['output']>;
};

export type ResourcesInput = {
  cpus?: InputMaybe<Scalars['Float']['input']>;
  diskWarnMb?: InputMaybe<Scalars['Int']['input']>;
  memoryMb?: InputMaybe<Scalars['Int']['input']>;
  pids?: InputMaybe<Scalars['Int']['input']>;
};

/** ON_FAILURE: after a crash, so many times within the window. ALWAYS: whenever it ends unasked. */
export type RestartMode =
  | 'ALWAYS'
  | 'NEVER'
  | 'ON_FAILURE';

/** When a session that ended unasked is started again. Its host decides, also without the control plane. */
export type RestartPolicy = {
  /** For ON_FAILURE. */
  maxRetries: Scalars['Int']['output'];
  mode: RestartMode;
  windowSeconds: Scalars['Int']['output'];
};

export type RestartPolicyInput = {
  /** 5 unless told. */
  maxRetries?: InputMaybe<Scalars['Int']['input']>;
  mode: RestartMode;
  /** 600 unless told. */
  windowSeconds?: InputMaybe<Scalars['Int']['input']>;
};

export type RestartSessionInput = {
  /** The same key answers the same session, however often it is sent. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  sessionId: Scalars['ID']['input'];
};

export type RestartSessionResult = ConflictError | InvalidInputError | NotFoundError | OutcomeUnknownError | Session | UnavailableError;

export type RestartWarning = {
  line: Scalars['String']['output'];
  secondsBefore: Scalars['Int']['output'];
};

export type RestartWarningInput = {
  line: Scalars['String']['input'];
  secondsBefore: Scalars['Int']['input'];
};

/** What a backup holds, put back into a deployment. FAILED: all is as it was before. */
export type Restore = {
  /** Also when it is of another deployment, which may not be seen. */
  backup: Backup;
  /** Of the archive, on the machine so far. */
  bytesDone?: Maybe<Scalars['SafeInt']['output']>;
  /** When it ended, however. */
  completedAt?: Maybe<Scalars['DateTime']['output']>;
  createdAt: Scalars['DateTime']['output'];
  deployment?: Maybe<ServerGameConfig>;
  error?: Maybe<Scalars['String']['output']>;
  id: Scalars['ID']['output'];
  /** Only these; null is all. */
  paths?: Maybe<Array<Scalars['String']['output']>>;
  /** Null before it was begun. */
  phase?: Maybe<RestorePhase>;
  status: BackupStatus;
  /** The backup, of what is replaced, that comes first. */
  waitsFor?: Maybe<Backup>;
};

export type RestoreBackupInput = {
  backupId: Scalars['ID']['input'];
  /** Only these, as `backupFiles` names them, with all that is below. */
  paths?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Another deployment of the same game; the backup's own unless told. */
  serverGameConfigId?: InputMaybe<Scalars['ID']['input']>;
  /** Whatever the policy says, what is replaced is not backed up first. */
  withoutBackup?: InputMaybe<Scalars['Boolean']['input']>;
};

export type RestoreBackupResult = ConflictError | InvalidInputError | NotFoundError | OutcomeUnknownError | Restore | UnavailableError;

export type RestoreConnection = {
  edges: Array<RestoreEdge>;
  nodes: Array<Restore>;
  pageInfo: PageInfo;
};

export type RestoreEdge = {
  cursor: Scalars['String']['output'];
  node: Restore;
};

/** What its host is at. */
export type RestorePhase =
  | 'DOWNLOADING'
  | 'SWAPPING'
  | 'UNPACKING'
  | 'VERIFYING'
  | 'WAITING';

export type RevokeServerCredentialsResult = ConflictError | NotFoundError | OutcomeUnknownError | Server | UnavailableError;

export type RevokeTokenResult = ApiToken | NotFoundError | OutcomeUnknownError | UnavailableError;

/** What somebody may do: docs/roles.md has it for each field. */
export type Role =
  | 'ADMIN'
  | 'MEMBER'
  | 'OPERATOR'
  | 'VIEWER';

export type RotateServerCredentialsResult = ConflictError | NotFoundError | OutcomeUnknownError | Server | UnavailableError;

export type RunActionInput = {
  actionId: Scalars['ID']['input'];
  sessionId: Scalars['ID']['input'];
  /** An object of values by the name of the action's inputs. */
  values?: InputMaybe<Scalars['JSON']['input']>;
};

export type RunActionResult = ConflictError | InvalidInputError | NotFoundError | OutcomeUnknownError | SendInputPayload | UnavailableError;

export type RunScheduleResult = ConflictError | NotFoundError | ScheduleRun;

export type SaveHooks = {
  /** Lines typed afterwards, whatever happened. */
  after: Array<Scalars['String']['output']>;
  /** Lines typed before the files are read. */
  before: Array<Scalars['String']['output']>;
  /** How long that line may take; without it the backup goes on, and says so. */
  timeoutSeconds: Scalars['Int']['output'];
  /** RE2 syntax: a line of the output that fits says that all is saved. Null waits for none. */
  waitFor?: Maybe<Scalars['String']['output']>;
};

export type SaveHooksInput = {
  /** Lines typed afterwards, whatever happened. */
  after?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Lines typed before the files are read. */
  before?: InputMaybe<Array<Scalars['String']['input']>>;
  /** 60 unless told, at most 600. */
  timeoutSeconds?: InputMaybe<Scalars['Int']['input']>;
  /** RE2 syntax: a line of the output that fits says that all is saved. Null waits for none. */
  waitFor?: InputMaybe<Scalars['String']['input']>;
};

/** What is done for a deployment by the clock. */
export type Schedule = {
  cron: Scalars['String']['output'];
  deletedAt?: Maybe<Scalars['DateTime']['output']>;
  deployment?: Maybe<ServerGameConfig>;
  enabled: Scalars['Boolean']['output'];
  id: Scalars['ID']['output'];
  lastRun?: Maybe<ScheduleRun>;
  missed: ScheduleMissed;
  name: Scalars['String']['output'];
  /** None while it is disabled; at most 100. */
  nextRuns: Array<Scalars['DateTime']['output']>;
  /** The oldest first; `last: 10` gives the newest ten. */
  runs: ScheduleRunConnection;
  steps: Array<ScheduleStep>;
  timeZone: Scalars['String']['output'];
};


/** What is done for a deployment by the clock. */
export type ScheduleNextRunsArgs = {
  count?: Scalars['Int']['input'];
};


/** What is done for a deployment by the clock. */
export type ScheduleRunsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

export type ScheduleConnection = {
  edges: Array<ScheduleEdge>;
  nodes: Array<Schedule>;
  pageInfo: PageInfo;
};

export type ScheduleEdge = {
  cursor: Scalars['String']['output'];
  node: Schedule;
};

/** A new one needs serverGameConfigId, name, cron and steps; what is left out of an update stays as it is. */
export type ScheduleInput = {
  /** Five fields: minute, hour, day of month, month, day of week. */
  cron?: InputMaybe<Scalars['String']['input']>;
  /** True unless told. */
  enabled?: InputMaybe<Scalars['Boolean']['input']>;
  /** SKIP unless told. */
  missed?: InputMaybe<ScheduleMissed>;
  name?: InputMaybe<Scalars['String']['input']>;
  serverGameConfigId?: InputMaybe<Scalars['ID']['input']>;
  /** One after the other, at most 30. */
  steps?: InputMaybe<Array<ScheduleStepInput>>;
  /** As IANA calls it, like Europe/Berlin; UTC unless told. */
  timeZone?: InputMaybe<Scalars['String']['input']>;
};

/** What becomes of due times that nobody could run within a minute: left out, or made up for by one run. */
export type ScheduleMissed =
  | 'CATCH_UP'
  | 'SKIP';

export type ScheduleOnFailure =
  | 'CONTINUE'
  | 'STOP';

export type ScheduleRun = {
  dueAt: Scalars['DateTime']['output'];
  endedAt?: Maybe<Scalars['DateTime']['output']>;
  error?: Maybe<Scalars['String']['output']>;
  id: Scalars['ID']['output'];
  /** Begun by `runSchedule`. */
  manual: Scalars['Boolean']['output'];
  startedAt?: Maybe<Scalars['DateTime']['output']>;
  startedBy: Scalars['String']['output'];
  status: ScheduleRunStatus;
  steps: Array<ScheduleStepRun>;
};

export type ScheduleRunConnection = {
  edges: Array<ScheduleRunEdge>;
  nodes: Array<ScheduleRun>;
  pageInfo: PageInfo;
};

export type ScheduleRunEdge = {
  cursor: Scalars['String']['output'];
  node: ScheduleRun;
};

export type ScheduleRunStatus =
  /** Every step was done, or failed and was to be passed. */
  | 'COMPLETED'
  | 'FAILED'
  /** Nobody could run it within a minute of its time. */
  | 'MISSED'
  | 'RUNNING'
  /** The run before was still under way. */
  | 'SKIPPED';

/** What its kind has no use for is null. */
export type ScheduleStep = {
  actionId?: Maybe<Scalars['ID']['output']>;
  kind: ScheduleStepKind;
  line?: Maybe<Scalars['String']['output']>;
  onFailure: ScheduleOnFailure;
  seconds?: Maybe<Scalars['Int']['output']>;
  values?: Maybe<Scalars['JSON']['output']>;
  warnings?: Maybe<Array<RestartWarning>>;
};

export type ScheduleStepInput = {
  /** ACTION: of the game, its config, or the deployment. */
  actionId?: InputMaybe<Scalars['ID']['input']>;
  kind: ScheduleStepKind;
  /** COMMAND. */
  line?: InputMaybe<Scalars['String']['input']>;
  /** STOP, which ends the run, unless told. */
  onFailure?: InputMaybe<ScheduleOnFailure>;
  /** WAIT: up to a day. */
  seconds?: InputMaybe<Scalars['Int']['input']>;
  /** ACTION: an object of values by name. */
  values?: InputMaybe<Scalars['JSON']['input']>;
  /** RESTART: typed into the console so long before. */
  warnings?: InputMaybe<Array<RestartWarningInput>>;
};

export type ScheduleStepKind =
  /** Runs an action of the game. */
  | 'ACTION'
  /** Makes a backup, and waits for its end. */
  | 'BACKUP'
  /** Types a line into the console. */
  | 'COMMAND'
  /** Restarts the session after warnings; does nothing where none runs. */
  | 'RESTART'
  /** Starts a session, and waits until it runs, and is ready where that can be told. */
  | 'START'
  /** Stops the session, and waits for its end. */
  | 'STOP'
  | 'WAIT';

export type ScheduleStepRun = {
  endedAt?: Maybe<Scalars['DateTime']['output']>;
  error?: Maybe<Scalars['String']['output']>;
  kind: ScheduleStepKind;
  /** What is worth knowing although it is no failure. */
  note?: Maybe<Scalars['String']['output']>;
  startedAt?: Maybe<Scalars['DateTime']['output']>;
  status: ScheduleStepStatus;
};

export type ScheduleStepStatus =
  | 'COMPLETED'
  | 'FAILED'
  | 'PENDING'
  | 'RUNNING'
  | 'SKIPPED';

export type SendInputInput = {
  /** The same key types once. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** One line, at most 4 KiB. */
  input: Scalars['String']['input'];
  sessionId: Scalars['ID']['input'];
};

export type SendInputPayload = {
  sessionId: Scalars['ID']['output'];
  /** When the host had written it to the game's stdin. */
  writtenAt: Scalars['DateTime']['output'];
};

export type SendInputResult = ConflictError | InvalidInputError | NotFoundError | OutcomeUnknownError | SendInputPayload | UnavailableError;

/** A physical or virtual machine in the fleet that runs games. */
export type Server = {
  agentVersion?: Maybe<Scalars['String']['output']>;
  /** Null until its host was heard once. */
  capacity?: Maybe<ServerCapacity>;
  /** What is wrong with the machine, or with what its host may do, now. */
  conditions: Array<ServerCondition>;
  createdAt: Scalars['DateTime']['output'];
  deletedAt?: Maybe<Scalars['DateTime']['output']>;
  deployments?: Maybe<ServerGameConfigConnection>;
  /** Takes no new sessions. */
  draining: Scalars['Boolean']['output'];
  environment: Scalars['String']['output'];
  id: Scalars['ID']['output'];
  labels: Scalars['JSON']['output'];
  lastSeenAt?: Maybe<Scalars['DateTime']['output']>;
  name: Scalars['String']['output'];
  /** Host ports handed out to deployments that name none, as `20000-29999`. */
  portRange: Scalars['String']['output'];
  /** Ports held by deployments, the lowest first. */
  ports?: Maybe<Array<ServerPort>>;
  /** Where players reach it. */
  publicAddress?: Maybe<Scalars['String']['output']>;
  /** With `live` only those that have not ended, or only those that have. */
  sessions?: Maybe<SessionConnection>;
  /** By its heartbeat: STALE after 10 s without, OFFLINE after 30 s. */
  status: ServerStatus;
};


/** A physical or virtual machine in the fleet that runs games. */
export type ServerDeploymentsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A physical or virtual machine in the fleet that runs games. */
export type ServerSessionsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  live?: InputMaybe<Scalars['Boolean']['input']>;
};

export type ServerCapacity = {
  cpus: Scalars['Float']['output'];
  diskFreeBytes?: Maybe<Scalars['SafeInt']['output']>;
  dockerVersion: Scalars['String']['output'];
  memoryBytes: Scalars['SafeInt']['output'];
};

export type ServerCondition = {
  kind: Scalars['String']['output'];
  message: Scalars['String']['output'];
  since: Scalars['DateTime']['output'];
};

export type ServerConnection = {
  edges: Array<ServerEdge>;
  nodes: Array<Server>;
  pageInfo: PageInfo;
};

export type ServerEdge = {
  cursor: Scalars['String']['output'];
  node: Server;
};

/** A deployment: a game config placed on one server, with its own ports. */
export type ServerGameConfig = {
  /** What can be run here: of its game, its config and its own; of those with one name the last. */
  actions: Array<Action>;
  /** The one that has not ended. */
  activeSession?: Maybe<Session>;
  backupPolicy?: Maybe<BackupPolicy>;
  /** The oldest first, without deleted ones. */
  backups?: Maybe<BackupConnection>;
  /** Whether its live session runs with older settings than a start would take now. Null without one. */
  behind?: Maybe<Scalars['Boolean']['output']>;
  /** Who changed it, the oldest first; `last: 10` gives the newest ten. */
  changes: ChangeConnection;
  /** What a player types to join: its port `game`, or else its first. Null without a known address. */
  connectAddress?: Maybe<Scalars['String']['output']>;
  deletedAt?: Maybe<Scalars['DateTime']['output']>;
  gameConfig: GameConfig;
  id: Scalars['ID']['output'];
  /** When the install step was done last, or is being done. Null when it never was. */
  install?: Maybe<Session>;
  /** What its game reaches by name, on the ports inside that container; from its next session on. */
  links: Array<DeploymentLink>;
  name: Scalars['String']['output'];
  /** What each parameter of the config has here, before anything is given for one session alone. */
  parameters: Array<ParameterValue>;
  /** In the order in which the config declares them; none once it was deleted. */
  portBindings: Array<PortBinding>;
  /** Limits of its own; null, and what is null in it, is as the config says. */
  resources?: Maybe<Resources>;
  restartPolicy: RestartPolicy;
  /** Into this deployment, the oldest first. */
  restores?: Maybe<RestoreConnection>;
  schedules?: Maybe<ScheduleConnection>;
  server?: Maybe<Server>;
  sessions?: Maybe<SessionConnection>;
  /** After a reboot of the machine the lowest start first. */
  startPriority: Scalars['Int']['output'];
  status: DeploymentStatus;
  /** Its newest move to another server. */
  transfer?: Maybe<Transfer>;
};


/** A deployment: a game config placed on one server, with its own ports. */
export type ServerGameConfigBackupsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A deployment: a game config placed on one server, with its own ports. */
export type ServerGameConfigChangesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A deployment: a game config placed on one server, with its own ports. */
export type ServerGameConfigRestoresArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A deployment: a game config placed on one server, with its own ports. */
export type ServerGameConfigSchedulesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A deployment: a game config placed on one server, with its own ports. */
export type ServerGameConfigSessionsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

export type ServerGameConfigConnection = {
  edges: Array<ServerGameConfigEdge>;
  nodes: Array<ServerGameConfig>;
  pageInfo: PageInfo;
};

export type ServerGameConfigEdge = {
  cursor: Scalars['String']['output'];
  node: ServerGameConfig;
};

/** A port of a server, held by one deployment. */
export type ServerPort = {
  allocatedAt: Scalars['DateTime']['output'];
  deployment: ServerGameConfig;
  port: Scalars['Int']['output'];
  protocol: Protocol;
};

export type ServerStatus =
  | 'OFFLINE'
  | 'ONLINE'
  | 'STALE';

/** One execution of a deployment, from start to end, with its own exit code and log. */
export type Session = {
  /** The oldest first; `last: 10` gives the newest ten. */
  actionRuns: ActionRunConnection;
  /** Restarts before this one that happened while its host could not tell, and are only counted. */
  collapsedRestarts: Scalars['Int']['output'];
  createdAt: Scalars['DateTime']['output'];
  deployment?: Maybe<ServerGameConfig>;
  /** The reason in the operator's words. */
  endMessage?: Maybe<Scalars['String']['output']>;
  /** One word: REQUESTED, CRASHED, PORT_TAKEN … */
  endReason?: Maybe<Scalars['String']['output']>;
  endedAt?: Maybe<Scalars['DateTime']['output']>;
  exitCode?: Maybe<Scalars['Int']['output']>;
  id: Scalars['ID']['output'];
  /** Which image it was, whatever its tag is today. */
  imageDigest?: Maybe<Scalars['String']['output']>;
  kind: SessionKind;
  /** Of a crash: the last 50 lines of its log. */
  lastLines?: Maybe<Array<Scalars['String']['output']>>;
  /** The whole log as text, for an hour, for whoever has this address: a path at the address of this graph. Asked for again, another one. */
  logDownloadUrl?: Maybe<Scalars['String']['output']>;
  /** From the first line with `first` (500 unless told), from the last with `last`; at most 10,000. A search that takes longer than 5 s answers with what it has found and where to go on. */
  logs: SessionLogPage;
  oomKilled?: Maybe<Scalars['Boolean']['output']>;
  /** What each parameter had, as it was at its start. */
  parameters: Array<ParameterValue>;
  /** When its config's ready pattern was seen. */
  readyAt?: Maybe<Scalars['DateTime']['output']>;
  /** The session this one continues. */
  restartOf?: Maybe<Session>;
  /** The one it ran on, where its deployment may be elsewhere by now. */
  server?: Maybe<Server>;
  /** What it runs with, every template rendered but those of files; secrets are hidden. */
  spec?: Maybe<Scalars['JSON']['output']>;
  startedAt?: Maybe<Scalars['DateTime']['output']>;
  /** LOST is not an end: the truth replaces it when the host is back. */
  status: SessionStatus;
  /** It is asked to stop, once this backup is over. */
  stopsAfter?: Maybe<Backup>;
  /** It begins when that one has ended. */
  waitsFor?: Maybe<Session>;
};


/** One execution of a deployment, from start to end, with its own exit code and log. */
export type SessionActionRunsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** One execution of a deployment, from start to end, with its own exit code and log. */
export type SessionLogsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  search?: InputMaybe<Scalars['String']['input']>;
  since?: InputMaybe<Scalars['DateTime']['input']>;
  until?: InputMaybe<Scalars['DateTime']['input']>;
};

export type SessionConnection = {
  edges: Array<SessionEdge>;
  nodes: Array<Session>;
  pageInfo: PageInfo;
};

export type SessionEdge = {
  cursor: Scalars['String']['output'];
  node: Session;
};

/** Every given field narrows. */
export type SessionFilter = {
  kind?: InputMaybe<SessionKind>;
  serverGameConfigId?: InputMaybe<Scalars['ID']['input']>;
  serverId?: InputMaybe<Scalars['ID']['input']>;
  statuses?: InputMaybe<Array<SessionStatus>>;
};

/** GAME is the game itself; INSTALL is its config's install step, which has a log and an end like any session. */
export type SessionKind =
  | 'GAME'
  | 'INSTALL';

export type SessionLogBatch = {
  /** Give it as `after` to go on behind this batch. */
  cursor: Scalars['String']['output'];
  /** The session has ended and its last line was told; nothing follows. */
  end: Scalars['Boolean']['output'];
  gap?: Maybe<LogGap>;
  lines: Array<LogLine>;
  sessionId: Scalars['ID']['output'];
  /** The same lines joined by newlines, for volume. */
  text: Scalars['String']['output'];
};

export type SessionLogPage = {
  /** Give it as `after` to go on behind this page, also in `sessionLogs`. */
  endCursor?: Maybe<Scalars['String']['output']>;
  hasNextPage: Scalars['Boolean']['output'];
  hasPreviousPage: Scalars['Boolean']['output'];
  lines: Array<LogLine>;
  /** Give it as `before` to go on in front of this page. A search may have passed lines without a hit. */
  startCursor?: Maybe<Scalars['String']['output']>;
};

/** What a session's container uses. */
export type SessionStats = {
  at: Scalars['DateTime']['output'];
  /** Of one processor: two busy ones are 200. */
  cpuPercent: Scalars['Float']['output'];
  /** Without what is only cached of files. */
  memoryBytes: Scalars['SafeInt']['output'];
  /** Null where the config sets no limit. */
  memoryLimitBytes?: Maybe<Scalars['SafeInt']['output']>;
  /** Received over the network since it began. */
  rxBytes: Scalars['SafeInt']['output'];
  sessionId: Scalars['ID']['output'];
  /** Sent over the network since it began. */
  txBytes: Scalars['SafeInt']['output'];
};

export type SessionStatus =
  | 'CRASHED'
  | 'FAILED'
  | 'LOST'
  | 'PENDING'
  | 'RUNNING'
  | 'STARTING'
  | 'STOPPED'
  | 'STOPPING';

/** One of `serverId`, `gameId` and `serverGameConfigId` says what it is on. */
export type SetGrantInput = {
  gameId?: InputMaybe<Scalars['ID']['input']>;
  /** All of them. VIEW goes with any. */
  permissions: Array<Permission>;
  serverGameConfigId?: InputMaybe<Scalars['ID']['input']>;
  serverId?: InputMaybe<Scalars['ID']['input']>;
  userId: Scalars['ID']['input'];
};

export type SetGrantResult = Grant | InvalidInputError | NotFoundError | OutcomeUnknownError | UnavailableError;

export type SetPasswordInput = {
  /** Needed for your own. */
  currentPassword?: InputMaybe<Scalars['String']['input']>;
  /** At least 12 characters. */
  newPassword: Scalars['String']['input'];
  /** Whose; your own if left out. That of others an ADMIN sets. */
  userId?: InputMaybe<Scalars['ID']['input']>;
};

export type SetPasswordResult = ConflictError | ForbiddenError | InvalidInputError | NotFoundError | OutcomeUnknownError | UnavailableError | User;

export type SetRegistryCredentialInput = {
  /** The registry, as images or `docker login` name it. */
  host: Scalars['String']['input'];
  /** Or a token. Kept encrypted, and opened only by the host that pulls. */
  password: Scalars['String']['input'];
  username: Scalars['String']['input'];
};

export type SetRegistryCredentialResult = InvalidInputError | OutcomeUnknownError | RegistryCredential | UnavailableError;

export type StartSessionInput = {
  /** The same key answers the same session, however often it is sent. */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** For this session alone: an object of values by name. */
  parameters?: InputMaybe<Scalars['JSON']['input']>;
  serverGameConfigId: Scalars['ID']['input'];
};

export type StartSessionResult = ConflictError | InvalidInputError | NotFoundError | OutcomeUnknownError | Session | UnavailableError;

/** STDIN writes a line to the console of the game, SIGNAL sends a signal. */
export type StopKind =
  | 'SIGNAL'
  | 'STDIN';

/** How the game is asked to end; after the grace it is killed. */
export type StopProcedure = {
  graceSeconds: Scalars['Int']['output'];
  kind: StopKind;
  /** The line, or the signal by name. */
  value: Scalars['String']['output'];
};

export type StopProcedureInput = {
  /** 30 unless told; at most 3600. */
  graceSeconds?: InputMaybe<Scalars['Int']['input']>;
  kind: StopKind;
  value: Scalars['String']['input'];
};

export type StopSessionInput = {
  sessionId: Scalars['ID']['input'];
};

export type StopSessionResult = NotFoundError | OutcomeUnknownError | Session | UnavailableError;

export type Subscription = {
  /** A backup whenever its row changes, first as it is now, until it has ended. */
  backupChanged: Backup;
  /** A restore whenever its row changes, first as it is now, until it has ended. */
  restoreChanged: Restore;
  /** A server whenever its row changes. With `serverId` that one, and at once as it is now. */
  serverChanged: Server;
  /** A session whenever its row changes, first as it is now: the named one until it has ended, or all of a deployment or server, beginning with the live ones. */
  sessionChanged: Session;
  /** Each line once and in order, across restarts of everything: from the first, from the last `tail` ones, or behind a cursor. Completes after the batch that says `end`. */
  sessionLogs: SessionLogBatch;
  /** What a session uses, every 2 s while it runs. Completes when it has ended. */
  sessionStats: SessionStats;
};


export type SubscriptionBackupChangedArgs = {
  backupId: Scalars['ID']['input'];
};


export type SubscriptionRestoreChangedArgs = {
  restoreId: Scalars['ID']['input'];
};


export type SubscriptionServerChangedArgs = {
  serverId?: InputMaybe<Scalars['ID']['input']>;
};


export type SubscriptionSessionChangedArgs = {
  serverGameConfigId?: InputMaybe<Scalars['ID']['input']>;
  serverId?: InputMaybe<Scalars['ID']['input']>;
  sessionId?: InputMaybe<Scalars['ID']['input']>;
};


export type SubscriptionSessionLogsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  sessionId: Scalars['ID']['input'];
  tail?: InputMaybe<Scalars['Int']['input']>;
};


export type SubscriptionSessionStatsArgs = {
  sessionId: Scalars['ID']['input'];
};

/** What a token may be used for: a permission, or ADMINISTER for what roles alone decide. */
export type TokenScope =
  | 'ADMINISTER'
  | 'BACKUPS'
  | 'CONFIGURE'
  | 'CONSOLE'
  | 'CONTROL'
  | 'FILES'
  | 'VIEW';

/** A move of a deployment to another server. */
export type Transfer = {
  /** What is carried; null where there is nothing yet. Kept, however the move ends. */
  backup?: Maybe<Backup>;
  createdAt: Scalars['DateTime']['output'];
  deployment?: Maybe<ServerGameConfig>;
  endedAt?: Maybe<Scalars['DateTime']['output']>;
  /** Why it goes back, or has. */
  error?: Maybe<Scalars['String']['output']>;
  from?: Maybe<Server>;
  id: Scalars['ID']['output'];
  /** How it is unpacked on the other server. */
  restore?: Maybe<Restore>;
  /** FAILED: the deployment is where it was. */
  status: TransferStatus;
  step: TransferStep;
  to?: Maybe<Server>;
};

export type TransferDeploymentInput = {
  serverGameConfigId: Scalars['ID']['input'];
  toServerId: Scalars['ID']['input'];
};

export type TransferDeploymentResult = ConflictError | NotFoundError | ServerGameConfig | UnavailableError;

export type TransferStatus =
  | 'COMPLETED'
  | 'FAILED'
  | 'RUNNING';

/** What it is at, or was at last. A failure before the end goes back: ROLLING_BACK, then RESUMING what ran. */
export type TransferStep =
  | 'BACKING_UP'
  | 'PLACING'
  | 'RESTORING'
  | 'RESUMING'
  | 'ROLLING_BACK'
  | 'STARTING'
  | 'STOPPING'
  | 'SWITCHING';

export type UnavailableError = Error & {
  /** Stable; the same word stands in extensions.code of GraphQL errors. */
  code: Scalars['String']['output'];
  /** A sentence for humans. */
  message: Scalars['String']['output'];
};

export type UndrainServerResult = NotFoundError | OutcomeUnknownError | Server | UnavailableError;

/** Something of an egg that a game config has no place for. */
export type UnmappedField = {
  path: Scalars['String']['output'];
  reason: Scalars['String']['output'];
};

/** What is left out, or null, stays as it is. */
export type UpdateBackupInput = {
  locked?: InputMaybe<Scalars['Boolean']['input']>;
};

export type UpdateBackupPolicyResult = InvalidInputError | NotFoundError | OutcomeUnknownError | ServerGameConfig | UnavailableError;

export type UpdateBackupResult = Backup | NotFoundError | OutcomeUnknownError | UnavailableError;

/** What is left out stays as it is; null takes the default. */
export type UpdateGameConfigInput = {
  actions?: InputMaybe<Array<ActionInput>>;
  /** Split as a shell splits words, then rendered: a value stays within its word. */
  argsTemplate?: InputMaybe<Scalars['String']['input']>;
  backup?: InputMaybe<GameConfigBackupInput>;
  capabilities?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Exact arguments; not together with argsTemplate. */
  command?: InputMaybe<Array<Scalars['String']['input']>>;
  entrypoint?: InputMaybe<Array<Scalars['String']['input']>>;
  /** An object of templates. */
  envTemplate?: InputMaybe<Scalars['JSON']['input']>;
  /** Written into the volume before each start. */
  files?: InputMaybe<Array<ConfigFileInput>>;
  /** For admins: the machine's network instead of one of its own. Every port must be sameInside. False unless told. */
  hostNetwork?: InputMaybe<Scalars['Boolean']['input']>;
  image?: InputMaybe<Scalars['String']['input']>;
  /** Done once, before the first start. */
  install?: InputMaybe<InstallStepInput>;
  logRetentionDays?: InputMaybe<Scalars['Int']['input']>;
  /** For each deployment. */
  logRetentionMb?: InputMaybe<Scalars['Int']['input']>;
  name?: InputMaybe<Scalars['String']['input']>;
  parameters?: InputMaybe<Array<ParameterDefinitionInput>>;
  ports?: InputMaybe<Array<PortDefinitionInput>>;
  /** IF_MISSING unless told. */
  pullPolicy?: InputMaybe<PullPolicy>;
  readOnlyRootfs?: InputMaybe<Scalars['Boolean']['input']>;
  /** RE2 syntax. */
  readyPattern?: InputMaybe<Scalars['String']['input']>;
  /** Needs a readyPattern. */
  readyTimeoutSeconds?: InputMaybe<Scalars['Int']['input']>;
  resources?: InputMaybe<ResourcesInput>;
  /** SIGTERM with 30 s grace unless told. */
  stop?: InputMaybe<StopProcedureInput>;
  tty?: InputMaybe<Scalars['Boolean']['input']>;
  user?: InputMaybe<Scalars['String']['input']>;
  /** /data/game unless told. */
  volumePath?: InputMaybe<Scalars['String']['input']>;
  volumes?: InputMaybe<Array<VolumeDefinitionInput>>;
  watchdog?: InputMaybe<WatchdogInput>;
  workingDir?: InputMaybe<Scalars['String']['input']>;
};

export type UpdateGameConfigResult = ConflictError | GameConfig | InvalidInputError | NotFoundError | OutcomeUnknownError | PortConflictError | UnavailableError;

/** What is left out stays as it is. */
export type UpdateGameInput = {
  actions?: InputMaybe<Array<ActionInput>>;
  /** An object, kept as it is. */
  metadata?: InputMaybe<Scalars['JSON']['input']>;
  name?: InputMaybe<Scalars['String']['input']>;
  steamAppId?: InputMaybe<Scalars['Int']['input']>;
};

export type UpdateGameResult = ConflictError | Game | InvalidInputError | NotFoundError | OutcomeUnknownError | UnavailableError;

export type UpdateScheduleResult = InvalidInputError | NotFoundError | Schedule;

/** What is left out stays as it is; null takes the default. */
export type UpdateServerGameConfigInput = {
  /** All of its own. */
  actions?: InputMaybe<Array<ActionInput>>;
  /** All of them. */
  links?: InputMaybe<Array<DeploymentLinkInput>>;
  name?: InputMaybe<Scalars['String']['input']>;
  /** Values by name; those left out stay, null takes one back. */
  parameters?: InputMaybe<Scalars['JSON']['input']>;
  /** Ports left out keep what they have. */
  portBindings?: InputMaybe<Array<PortBindingInput>>;
  resources?: InputMaybe<ResourcesInput>;
  restartPolicy?: InputMaybe<RestartPolicyInput>;
  /** From 0 to 1000. */
  startPriority?: InputMaybe<Scalars['Int']['input']>;
};

export type UpdateServerGameConfigResult = ConflictError | InvalidInputError | NotFoundError | OutcomeUnknownError | PortConflictError | ServerGameConfig | UnavailableError;

/** What is left out stays as it is; null takes the default. */
export type UpdateServerInput = {
  /** An object of texts. */
  labels?: InputMaybe<Scalars['JSON']['input']>;
  name?: InputMaybe<Scalars['String']['input']>;
  /** For ports given out from now on; those held outside stay. */
  portRange?: InputMaybe<Scalars['String']['input']>;
  publicAddress?: InputMaybe<Scalars['String']['input']>;
};

export type UpdateServerResult = ConflictError | InvalidInputError | NotFoundError | OutcomeUnknownError | Server | UnavailableError;

/** What is left out, or null, stays as it is. */
export type UpdateUserInput = {
  email?: InputMaybe<Scalars['String']['input']>;
  name?: InputMaybe<Scalars['String']['input']>;
  role?: InputMaybe<Role>;
};

export type UpdateUserResult = ConflictError | InvalidInputError | NotFoundError | OutcomeUnknownError | UnavailableError | User;

/** Somebody who may come in. */
export type User = {
  createdAt: Scalars['DateTime']['output'];
  deletedAt?: Maybe<Scalars['DateTime']['output']>;
  email: Scalars['String']['output'];
  grants: GrantConnection;
  hasPassword: Scalars['Boolean']['output'];
  id: Scalars['ID']['output'];
  /** Who vouches for them; null for an account of our own. */
  issuer?: Maybe<Scalars['String']['output']>;
  /** With a password. */
  lastLoginAt?: Maybe<Scalars['DateTime']['output']>;
  name: Scalars['String']['output'];
  role: Role;
  /** A login needs a code as well. */
  totpEnabled: Scalars['Boolean']['output'];
};


/** Somebody who may come in. */
export type UserGrantsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

export type UserConnection = {
  edges: Array<UserEdge>;
  nodes: Array<User>;
  pageInfo: PageInfo;
};

export type UserEdge = {
  cursor: Scalars['String']['output'];
  node: User;
};

/** Who is asking. */
export type Viewer = {
  /** Of the user; a service token has none. */
  grants: GrantConnection;
  /** As `changes` and `auditEvents` name them. */
  id: Scalars['ID']['output'];
  kind: ViewerKind;
  role: Role;
  /** What the token may be used for at most; null is everything. */
  scopes?: Maybe<Array<TokenScope>>;
  user?: Maybe<User>;
};


/** Who is asking. */
export type ViewerGrantsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

export type ViewerKind =
  /** The token of the control plane's own configuration. */
  | 'ADMIN_TOKEN'
  | 'TOKEN'
  | 'USER';

export type VolumeDefinition = {
  mountPath: Scalars['String']['output'];
  name: Scalars['String']['output'];
  readOnly: Scalars['Boolean']['output'];
};

export type VolumeDefinitionInput = {
  mountPath: Scalars['String']['input'];
  name: Scalars['String']['input'];
  readOnly?: InputMaybe<Scalars['Boolean']['input']>;
};

/** Ends a game that does nothing. That counts as a crash, and the restart policy decides. */
export type Watchdog = {
  kind: WatchdogKind;
  port?: Maybe<Scalars['String']['output']>;
  seconds: Scalars['Int']['output'];
};

export type WatchdogInput = {
  kind: WatchdogKind;
  /** Name of a declared TCP port, for PORT. */
  port?: InputMaybe<Scalars['String']['input']>;
  seconds: Scalars['Int']['input'];
};

/** NO_OUTPUT: no line for so long. PORT: the named TCP port has refused connections for so long. */
export type WatchdogKind =
  | 'NO_OUTPUT'
  | 'PORT';

export type RegisterServerMutationVariables = Exact<{
  input: RegisterServerInput;
}>;


export type RegisterServerMutation = { registerServer:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'InvalidInputError', code: string, message: string, issues: Array<{ path: string, message: string }> }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'RegisterServerPayload', enrollmentToken: string, server: { id: string, name: string, status: ServerStatus } }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type CreateGameMutationVariables = Exact<{
  input: CreateGameInput;
}>;


export type CreateGameMutation = { createGame:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'Game', id: string, name: string }
    | { __typename: 'InvalidInputError', code: string, message: string, issues: Array<{ path: string, message: string }> }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type CreateGameConfigMutationVariables = Exact<{
  input: CreateGameConfigInput;
}>;


export type CreateGameConfigMutation = { createGameConfig:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'GameConfig', id: string, name: string, image: string }
    | { __typename: 'InvalidInputError', code: string, message: string, issues: Array<{ path: string, message: string }> }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type DeployGameConfigMutationVariables = Exact<{
  input: DeployGameConfigInput;
}>;


export type DeployGameConfigMutation = { deployGameConfig:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'InvalidInputError', code: string, message: string, issues: Array<{ path: string, message: string }> }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'PortConflictError', code: string, message: string, conflicts: Array<{ port: number, protocol: Protocol, deployment?: { id: string } | null }> }
    | { __typename: 'ServerGameConfig', id: string, name: string, connectAddress?: string | null, portBindings: Array<{ name: string, containerPort: number, hostPort: number, protocol: Protocol }> }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type ImportPresetMutationVariables = Exact<{
  input: ImportPresetInput;
}>;


export type ImportPresetMutation = { importPreset:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'GameConfig', id: string, name: string }
    | { __typename: 'InvalidInputError', code: string, message: string }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'PortConflictError', code: string, message: string }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type ImportEggMutationVariables = Exact<{
  input: ImportEggInput;
}>;


export type ImportEggMutation = { importEgg:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'ImportEggPayload', gameConfig: { id: string, name: string }, unmapped: Array<{ path: string, reason: string }> }
    | { __typename: 'InvalidInputError', code: string, message: string, issues: Array<{ path: string, message: string }> }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type DeploymentInstallQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type DeploymentInstallQuery = { serverGameConfig?: { status: DeploymentStatus, install?: { id: string, kind: SessionKind, status: SessionStatus, endReason?: string | null, exitCode?: number | null, logs: { lines: Array<{ text: string }> } } | null } | null };

export type StartSessionMutationVariables = Exact<{
  input: StartSessionInput;
}>;


export type StartSessionMutation = { startSession:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'InvalidInputError', code: string, message: string, issues: Array<{ path: string, message: string }> }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'Session', id: string, status: SessionStatus }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type StopSessionMutationVariables = Exact<{
  input: StopSessionInput;
}>;


export type StopSessionMutation = { stopSession:
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'Session', id: string, status: SessionStatus }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type KillSessionMutationVariables = Exact<{
  input: StopSessionInput;
}>;


export type KillSessionMutation = { killSession:
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'Session', id: string, status: SessionStatus }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type RestartSessionMutationVariables = Exact<{
  input: RestartSessionInput;
}>;


export type RestartSessionMutation = { restartSession:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'InvalidInputError', code: string, message: string }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'Session', id: string, status: SessionStatus, waitsFor?: { id: string } | null }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type DrainServerMutationVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type DrainServerMutation = { drainServer:
    | { __typename: 'NotFoundError', code: string }
    | { __typename: 'OutcomeUnknownError', code: string }
    | { __typename: 'Server', id: string, draining: boolean }
    | { __typename: 'UnavailableError', code: string }
   };

export type UndrainServerMutationVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type UndrainServerMutation = { undrainServer:
    | { __typename: 'NotFoundError', code: string }
    | { __typename: 'OutcomeUnknownError', code: string }
    | { __typename: 'Server', id: string, draining: boolean }
    | { __typename: 'UnavailableError', code: string }
   };

export type RotateServerCredentialsMutationVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type RotateServerCredentialsMutation = { rotateServerCredentials:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'Server', id: string }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type DeleteServerMutationVariables = Exact<{
  id: Scalars['ID']['input'];
  force?: InputMaybe<Scalars['Boolean']['input']>;
}>;


export type DeleteServerMutation = { deleteServer:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'DeletePayload', id: string }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type ActiveSessionOfQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type ActiveSessionOfQuery = { serverGameConfig?: { activeSession?: { id: string, status: SessionStatus, restartOf?: { id: string } | null } | null } | null };

export type SendInputMutationVariables = Exact<{
  input: SendInputInput;
}>;


export type SendInputMutation = { sendInput:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'InvalidInputError', code: string, message: string, issues: Array<{ path: string, message: string }> }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'SendInputPayload', sessionId: string, writtenAt: string }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type ActionsOfQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type ActionsOfQuery = { session?: { deployment?: { actions: Array<{ id: string, name: string }> } | null } | null };

export type RunActionMutationVariables = Exact<{
  input: RunActionInput;
}>;


export type RunActionMutation = { runAction:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'InvalidInputError', code: string, message: string, issues: Array<{ path: string, message: string }> }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'SendInputPayload', sessionId: string, writtenAt: string }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type SessionByIdQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type SessionByIdQuery = { session?: { id: string, status: SessionStatus, startedAt?: string | null, readyAt?: string | null, endedAt?: string | null, exitCode?: number | null, oomKilled?: boolean | null, endReason?: string | null, endMessage?: string | null, lastLines?: Array<string> | null, imageDigest?: string | null, restartOf?: { id: string } | null, waitsFor?: { id: string } | null } | null };

export type ServerByIdQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type ServerByIdQuery = { server?: { id: string, name: string, status: ServerStatus, agentVersion?: string | null, capacity?: { cpus: number, dockerVersion: string } | null, conditions: Array<{ kind: string, message: string }> } | null };

export type WholeFleetQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type WholeFleetQuery = { server?: { name: string, status: ServerStatus, ports?: Array<{ port: number, protocol: Protocol, deployment: { id: string } }> | null, deployments?: { edges: Array<{ node: { id: string, name: string, connectAddress?: string | null, gameConfig: { name: string, image: string, game: { name: string } }, activeSession?: { id: string, status: SessionStatus, server?: { id: string } | null, deployment?: { id: string } | null } | null, sessions?: { edges: Array<{ node: { id: string, status: SessionStatus } }> } | null, backups?: { edges: Array<{ node: { id: string } }> } | null } }> } | null } | null };

export type SessionLogsSubscriptionVariables = Exact<{
  sessionId: Scalars['ID']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
  tail?: InputMaybe<Scalars['Int']['input']>;
}>;


export type SessionLogsSubscription = { sessionLogs: { cursor: string, text: string, end: boolean, lines: Array<{ seq: number, at: string, stream: LogStream, text: string }>, gap?: { kind: LogGapKind, fromSeq?: number | null, toSeq?: number | null, lostLines?: number | null, reason: string } | null } };

export type SessionStatsSubscriptionVariables = Exact<{
  sessionId: Scalars['ID']['input'];
}>;


export type SessionStatsSubscription = { sessionStats: { sessionId: string, at: string, cpuPercent: number, memoryBytes: number, memoryLimitBytes?: number | null, rxBytes: number, txBytes: number } };

export type SessionChangedSubscriptionVariables = Exact<{
  sessionId: Scalars['ID']['input'];
}>;


export type SessionChangedSubscription = { sessionChanged: { id: string, status: SessionStatus, exitCode?: number | null, endReason?: string | null, deployment?: { name: string, gameConfig: { name: string }, server?: { name: string } | null } | null } };

export type SessionLogPageQueryVariables = Exact<{
  id: Scalars['ID']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  search?: InputMaybe<Scalars['String']['input']>;
}>;


export type SessionLogPageQuery = { session?: { logDownloadUrl?: string | null, logs: { startCursor?: string | null, endCursor?: string | null, hasPreviousPage: boolean, hasNextPage: boolean, lines: Array<{ seq: number, at: string, stream: LogStream, text: string }> } } | null };

export type CreateBackupMutationVariables = Exact<{
  input: CreateBackupInput;
}>;


export type CreateBackupMutation = { createBackup:
    | { __typename: 'Backup', id: string, status: BackupStatus }
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type BackupByIdQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type BackupByIdQuery = { backup?: { id: string, status: BackupStatus, phase?: BackupPhase | null, trigger: BackupTrigger, bytesDone?: number | null, sizeBytes?: number | null, sha256?: string | null, error?: string | null, warnings: Array<string>, downloadUrl?: string | null, deployment?: { id: string, status: DeploymentStatus } | null, session?: { id: string } | null } | null };

export type BackupChangedSubscriptionVariables = Exact<{
  backupId: Scalars['ID']['input'];
}>;


export type BackupChangedSubscription = { backupChanged: { id: string, status: BackupStatus, phase?: BackupPhase | null, bytesDone?: number | null, sizeBytes?: number | null, error?: string | null } };

export type BackupFilesQueryVariables = Exact<{
  backupId: Scalars['ID']['input'];
  path?: InputMaybe<Scalars['String']['input']>;
}>;


export type BackupFilesQuery = { backupFiles: { nodes: Array<{ path: string, kind: BackupFileKind, bytes: number }> } };

export type RestoreBackupMutationVariables = Exact<{
  input: RestoreBackupInput;
}>;


export type RestoreBackupMutation = { restoreBackup:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'InvalidInputError', code: string, message: string }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'Restore', id: string, status: BackupStatus }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type RestoreByIdQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type RestoreByIdQuery = { restore?: { id: string, status: BackupStatus, phase?: RestorePhase | null, bytesDone?: number | null, error?: string | null, deployment?: { id: string, status: DeploymentStatus } | null } | null };

export type UpdateBackupPolicyMutationVariables = Exact<{
  id: Scalars['ID']['input'];
  input: BackupPolicyInput;
}>;


export type UpdateBackupPolicyMutation = { updateBackupPolicy:
    | { __typename: 'InvalidInputError', code: string, message: string, issues: Array<{ path: string, message: string }> }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'OutcomeUnknownError', code: string, message: string }
    | { __typename: 'ServerGameConfig', id: string }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type TransferDeploymentMutationVariables = Exact<{
  input: TransferDeploymentInput;
}>;


export type TransferDeploymentMutation = { transferDeployment:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'ServerGameConfig', id: string, status: DeploymentStatus }
    | { __typename: 'UnavailableError', code: string, message: string }
   };

export type TransferOfQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type TransferOfQuery = { serverGameConfig?: { status: DeploymentStatus, connectAddress?: string | null, server?: { id: string } | null, activeSession?: { id: string, status: SessionStatus, server?: { id: string } | null } | null, transfer?: { id: string, status: TransferStatus, step: TransferStep, error?: string | null } | null } | null };

export type CreateScheduleMutationVariables = Exact<{
  input: ScheduleInput;
}>;


export type CreateScheduleMutation = { createSchedule:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'InvalidInputError', code: string, message: string, issues: Array<{ path: string, message: string }> }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'Schedule', id: string, nextRuns: Array<string> }
   };

export type RunScheduleMutationVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type RunScheduleMutation = { runSchedule:
    | { __typename: 'ConflictError', code: string, message: string }
    | { __typename: 'NotFoundError', code: string, message: string }
    | { __typename: 'ScheduleRun', id: string }
   };

export type BackupsOfQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type BackupsOfQuery = { serverGameConfig?: { backups?: { nodes: Array<{ id: string, trigger: BackupTrigger, status: BackupStatus }> } | null } | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const RegisterServerDocument = new TypedDocumentString(`
    mutation RegisterServer($input: RegisterServerInput!) {
  registerServer(input: $input) {
    __typename
    ... on RegisterServerPayload {
      enrollmentToken
      server {
        id
        name
        status
      }
    }
    ... on Error {
      code
      message
    }
    ... on InvalidInputError {
      issues {
        path
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RegisterServerMutation, RegisterServerMutationVariables>;
export const CreateGameDocument = new TypedDocumentString(`
    mutation CreateGame($input: CreateGameInput!) {
  createGame(input: $input) {
    __typename
    ... on Game {
      id
      name
    }
    ... on Error {
      code
      message
    }
    ... on InvalidInputError {
      issues {
        path
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CreateGameMutation, CreateGameMutationVariables>;
export const CreateGameConfigDocument = new TypedDocumentString(`
    mutation CreateGameConfig($input: CreateGameConfigInput!) {
  createGameConfig(input: $input) {
    __typename
    ... on GameConfig {
      id
      name
      image
    }
    ... on Error {
      code
      message
    }
    ... on InvalidInputError {
      issues {
        path
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CreateGameConfigMutation, CreateGameConfigMutationVariables>;
export const DeployGameConfigDocument = new TypedDocumentString(`
    mutation DeployGameConfig($input: DeployGameConfigInput!) {
  deployGameConfig(input: $input) {
    __typename
    ... on ServerGameConfig {
      id
      name
      connectAddress
      portBindings {
        name
        containerPort
        hostPort
        protocol
      }
    }
    ... on Error {
      code
      message
    }
    ... on InvalidInputError {
      issues {
        path
        message
      }
    }
    ... on PortConflictError {
      conflicts {
        port
        protocol
        deployment {
          id
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<DeployGameConfigMutation, DeployGameConfigMutationVariables>;
export const ImportPresetDocument = new TypedDocumentString(`
    mutation ImportPreset($input: ImportPresetInput!) {
  importPreset(input: $input) {
    __typename
    ... on GameConfig {
      id
      name
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ImportPresetMutation, ImportPresetMutationVariables>;
export const ImportEggDocument = new TypedDocumentString(`
    mutation ImportEgg($input: ImportEggInput!) {
  importEgg(input: $input) {
    __typename
    ... on ImportEggPayload {
      gameConfig {
        id
        name
      }
      unmapped {
        path
        reason
      }
    }
    ... on Error {
      code
      message
    }
    ... on InvalidInputError {
      issues {
        path
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ImportEggMutation, ImportEggMutationVariables>;
export const DeploymentInstallDocument = new TypedDocumentString(`
    query DeploymentInstall($id: ID!) {
  serverGameConfig(id: $id) {
    status
    install {
      id
      kind
      status
      endReason
      exitCode
      logs(first: 100) {
        lines {
          text
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<DeploymentInstallQuery, DeploymentInstallQueryVariables>;
export const StartSessionDocument = new TypedDocumentString(`
    mutation StartSession($input: StartSessionInput!) {
  startSession(input: $input) {
    __typename
    ... on Session {
      id
      status
    }
    ... on Error {
      code
      message
    }
    ... on InvalidInputError {
      issues {
        path
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<StartSessionMutation, StartSessionMutationVariables>;
export const StopSessionDocument = new TypedDocumentString(`
    mutation StopSession($input: StopSessionInput!) {
  stopSession(input: $input) {
    __typename
    ... on Session {
      id
      status
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<StopSessionMutation, StopSessionMutationVariables>;
export const KillSessionDocument = new TypedDocumentString(`
    mutation KillSession($input: StopSessionInput!) {
  killSession(input: $input) {
    __typename
    ... on Session {
      id
      status
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<KillSessionMutation, KillSessionMutationVariables>;
export const RestartSessionDocument = new TypedDocumentString(`
    mutation RestartSession($input: RestartSessionInput!) {
  restartSession(input: $input) {
    __typename
    ... on Session {
      id
      status
      waitsFor {
        id
      }
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RestartSessionMutation, RestartSessionMutationVariables>;
export const DrainServerDocument = new TypedDocumentString(`
    mutation DrainServer($id: ID!) {
  drainServer(id: $id) {
    __typename
    ... on Server {
      id
      draining
    }
    ... on Error {
      code
    }
  }
}
    `) as unknown as TypedDocumentString<DrainServerMutation, DrainServerMutationVariables>;
export const UndrainServerDocument = new TypedDocumentString(`
    mutation UndrainServer($id: ID!) {
  undrainServer(id: $id) {
    __typename
    ... on Server {
      id
      draining
    }
    ... on Error {
      code
    }
  }
}
    `) as unknown as TypedDocumentString<UndrainServerMutation, UndrainServerMutationVariables>;
export const RotateServerCredentialsDocument = new TypedDocumentString(`
    mutation RotateServerCredentials($id: ID!) {
  rotateServerCredentials(id: $id) {
    __typename
    ... on Server {
      id
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RotateServerCredentialsMutation, RotateServerCredentialsMutationVariables>;
export const DeleteServerDocument = new TypedDocumentString(`
    mutation DeleteServer($id: ID!, $force: Boolean) {
  deleteServer(id: $id, force: $force) {
    __typename
    ... on DeletePayload {
      id
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<DeleteServerMutation, DeleteServerMutationVariables>;
export const ActiveSessionOfDocument = new TypedDocumentString(`
    query ActiveSessionOf($id: ID!) {
  serverGameConfig(id: $id) {
    activeSession {
      id
      status
      restartOf {
        id
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ActiveSessionOfQuery, ActiveSessionOfQueryVariables>;
export const SendInputDocument = new TypedDocumentString(`
    mutation SendInput($input: SendInputInput!) {
  sendInput(input: $input) {
    __typename
    ... on SendInputPayload {
      sessionId
      writtenAt
    }
    ... on Error {
      code
      message
    }
    ... on InvalidInputError {
      issues {
        path
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<SendInputMutation, SendInputMutationVariables>;
export const ActionsOfDocument = new TypedDocumentString(`
    query ActionsOf($id: ID!) {
  session(id: $id) {
    deployment {
      actions {
        id
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ActionsOfQuery, ActionsOfQueryVariables>;
export const RunActionDocument = new TypedDocumentString(`
    mutation RunAction($input: RunActionInput!) {
  runAction(input: $input) {
    __typename
    ... on SendInputPayload {
      sessionId
      writtenAt
    }
    ... on Error {
      code
      message
    }
    ... on InvalidInputError {
      issues {
        path
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RunActionMutation, RunActionMutationVariables>;
export const SessionByIdDocument = new TypedDocumentString(`
    query SessionById($id: ID!) {
  session(id: $id) {
    id
    status
    startedAt
    readyAt
    endedAt
    exitCode
    oomKilled
    endReason
    endMessage
    lastLines
    imageDigest
    restartOf {
      id
    }
    waitsFor {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<SessionByIdQuery, SessionByIdQueryVariables>;
export const ServerByIdDocument = new TypedDocumentString(`
    query ServerById($id: ID!) {
  server(id: $id) {
    id
    name
    status
    agentVersion
    capacity {
      cpus
      dockerVersion
    }
    conditions {
      kind
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ServerByIdQuery, ServerByIdQueryVariables>;
export const WholeFleetDocument = new TypedDocumentString(`
    query WholeFleet($id: ID!) {
  server(id: $id) {
    name
    status
    ports {
      port
      protocol
      deployment {
        id
      }
    }
    deployments(first: 10) {
      edges {
        node {
          id
          name
          connectAddress
          gameConfig {
            name
            image
            game {
              name
            }
          }
          activeSession {
            id
            status
            server {
              id
            }
            deployment {
              id
            }
          }
          sessions(first: 10) {
            edges {
              node {
                id
                status
              }
            }
          }
          backups(first: 10) {
            edges {
              node {
                id
              }
            }
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<WholeFleetQuery, WholeFleetQueryVariables>;
export const SessionLogsDocument = new TypedDocumentString(`
    subscription SessionLogs($sessionId: ID!, $after: String, $tail: Int) {
  sessionLogs(sessionId: $sessionId, after: $after, tail: $tail) {
    cursor
    lines {
      seq
      at
      stream
      text
    }
    text
    gap {
      kind
      fromSeq
      toSeq
      lostLines
      reason
    }
    end
  }
}
    `) as unknown as TypedDocumentString<SessionLogsSubscription, SessionLogsSubscriptionVariables>;
export const SessionStatsDocument = new TypedDocumentString(`
    subscription SessionStats($sessionId: ID!) {
  sessionStats(sessionId: $sessionId) {
    sessionId
    at
    cpuPercent
    memoryBytes
    memoryLimitBytes
    rxBytes
    txBytes
  }
}
    `) as unknown as TypedDocumentString<SessionStatsSubscription, SessionStatsSubscriptionVariables>;
export const SessionChangedDocument = new TypedDocumentString(`
    subscription SessionChanged($sessionId: ID!) {
  sessionChanged(sessionId: $sessionId) {
    id
    status
    exitCode
    endReason
    deployment {
      name
      gameConfig {
        name
      }
      server {
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<SessionChangedSubscription, SessionChangedSubscriptionVariables>;
export const SessionLogPageDocument = new TypedDocumentString(`
    query SessionLogPage($id: ID!, $after: String, $before: String, $first: Int, $last: Int, $search: String) {
  session(id: $id) {
    logDownloadUrl
    logs(
      after: $after
      before: $before
      first: $first
      last: $last
      search: $search
    ) {
      lines {
        seq
        at
        stream
        text
      }
      startCursor
      endCursor
      hasPreviousPage
      hasNextPage
    }
  }
}
    `) as unknown as TypedDocumentString<SessionLogPageQuery, SessionLogPageQueryVariables>;
export const CreateBackupDocument = new TypedDocumentString(`
    mutation CreateBackup($input: CreateBackupInput!) {
  createBackup(input: $input) {
    __typename
    ... on Backup {
      id
      status
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateBackupMutation, CreateBackupMutationVariables>;
export const BackupByIdDocument = new TypedDocumentString(`
    query BackupById($id: ID!) {
  backup(id: $id) {
    id
    status
    phase
    trigger
    bytesDone
    sizeBytes
    sha256
    error
    warnings
    downloadUrl
    deployment {
      id
      status
    }
    session {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<BackupByIdQuery, BackupByIdQueryVariables>;
export const BackupChangedDocument = new TypedDocumentString(`
    subscription BackupChanged($backupId: ID!) {
  backupChanged(backupId: $backupId) {
    id
    status
    phase
    bytesDone
    sizeBytes
    error
  }
}
    `) as unknown as TypedDocumentString<BackupChangedSubscription, BackupChangedSubscriptionVariables>;
export const BackupFilesDocument = new TypedDocumentString(`
    query BackupFiles($backupId: ID!, $path: String) {
  backupFiles(backupId: $backupId, path: $path) {
    nodes {
      path
      kind
      bytes
    }
  }
}
    `) as unknown as TypedDocumentString<BackupFilesQuery, BackupFilesQueryVariables>;
export const RestoreBackupDocument = new TypedDocumentString(`
    mutation RestoreBackup($input: RestoreBackupInput!) {
  restoreBackup(input: $input) {
    __typename
    ... on Restore {
      id
      status
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RestoreBackupMutation, RestoreBackupMutationVariables>;
export const RestoreByIdDocument = new TypedDocumentString(`
    query RestoreById($id: ID!) {
  restore(id: $id) {
    id
    status
    phase
    bytesDone
    error
    deployment {
      id
      status
    }
  }
}
    `) as unknown as TypedDocumentString<RestoreByIdQuery, RestoreByIdQueryVariables>;
export const UpdateBackupPolicyDocument = new TypedDocumentString(`
    mutation UpdateBackupPolicy($id: ID!, $input: BackupPolicyInput!) {
  updateBackupPolicy(serverGameConfigId: $id, input: $input) {
    __typename
    ... on ServerGameConfig {
      id
    }
    ... on Error {
      code
      message
    }
    ... on InvalidInputError {
      issues {
        path
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateBackupPolicyMutation, UpdateBackupPolicyMutationVariables>;
export const TransferDeploymentDocument = new TypedDocumentString(`
    mutation TransferDeployment($input: TransferDeploymentInput!) {
  transferDeployment(input: $input) {
    __typename
    ... on ServerGameConfig {
      id
      status
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<TransferDeploymentMutation, TransferDeploymentMutationVariables>;
export const TransferOfDocument = new TypedDocumentString(`
    query TransferOf($id: ID!) {
  serverGameConfig(id: $id) {
    status
    connectAddress
    server {
      id
    }
    activeSession {
      id
      status
      server {
        id
      }
    }
    transfer {
      id
      status
      step
      error
    }
  }
}
    `) as unknown as TypedDocumentString<TransferOfQuery, TransferOfQueryVariables>;
export const CreateScheduleDocument = new TypedDocumentString(`
    mutation CreateSchedule($input: ScheduleInput!) {
  createSchedule(input: $input) {
    __typename
    ... on Schedule {
      id
      nextRuns
    }
    ... on Error {
      code
      message
    }
    ... on InvalidInputError {
      issues {
        path
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CreateScheduleMutation, CreateScheduleMutationVariables>;
export const RunScheduleDocument = new TypedDocumentString(`
    mutation RunSchedule($id: ID!) {
  runSchedule(id: $id) {
    __typename
    ... on ScheduleRun {
      id
    }
    ... on Error {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RunScheduleMutation, RunScheduleMutationVariables>;
export const BackupsOfDocument = new TypedDocumentString(`
    query BackupsOf($id: ID!) {
  serverGameConfig(id: $id) {
    backups(last: 10) {
      nodes {
        id
        trigger
        status
      }
    }
  }
}
    `) as unknown as TypedDocumentString<BackupsOfQuery, BackupsOfQueryVariables>;