/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  mutation RegisterServer($input: RegisterServerInput!) {\n    registerServer(input: $input) {\n      __typename\n      ... on RegisterServerPayload { enrollmentToken server { id name status } }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": typeof types.RegisterServerDocument,
    "\n  mutation CreateGame($input: CreateGameInput!) {\n    createGame(input: $input) {\n      __typename\n      ... on Game { id name }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": typeof types.CreateGameDocument,
    "\n  mutation CreateGameConfig($input: CreateGameConfigInput!) {\n    createGameConfig(input: $input) {\n      __typename\n      ... on GameConfig { id name image }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": typeof types.CreateGameConfigDocument,
    "\n  mutation DeployGameConfig($input: DeployGameConfigInput!) {\n    deployGameConfig(input: $input) {\n      __typename\n      ... on ServerGameConfig { id name connectAddress portBindings { name containerPort hostPort protocol } }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n      ... on PortConflictError { conflicts { port protocol deployment { id } } }\n    }\n  }\n": typeof types.DeployGameConfigDocument,
    "\n  mutation ImportPreset($input: ImportPresetInput!) {\n    importPreset(input: $input) {\n      __typename\n      ... on GameConfig { id name }\n      ... on Error { code message }\n    }\n  }\n": typeof types.ImportPresetDocument,
    "\n  mutation ImportEgg($input: ImportEggInput!) {\n    importEgg(input: $input) {\n      __typename\n      ... on ImportEggPayload { gameConfig { id name } unmapped { path reason } }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": typeof types.ImportEggDocument,
    "\n  query DeploymentInstall($id: ID!) {\n    serverGameConfig(id: $id) {\n      status\n      install { id kind status endReason exitCode logs(first: 100) { lines { text } } }\n    }\n  }\n": typeof types.DeploymentInstallDocument,
    "\n  mutation StartSession($input: StartSessionInput!) {\n    startSession(input: $input) {\n      __typename\n      ... on Session { id status }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": typeof types.StartSessionDocument,
    "\n  mutation StopSession($input: StopSessionInput!) {\n    stopSession(input: $input) { __typename ... on Session { id status } ... on Error { code message } }\n  }\n": typeof types.StopSessionDocument,
    "\n  mutation KillSession($input: StopSessionInput!) {\n    killSession(input: $input) { __typename ... on Session { id status } ... on Error { code message } }\n  }\n": typeof types.KillSessionDocument,
    "\n  mutation RestartSession($input: RestartSessionInput!) {\n    restartSession(input: $input) {\n      __typename\n      ... on Session { id status waitsFor { id } }\n      ... on Error { code message }\n    }\n  }\n": typeof types.RestartSessionDocument,
    "\n  mutation DrainServer($id: ID!) { drainServer(id: $id) { __typename ... on Server { id draining } ... on Error { code } } }\n": typeof types.DrainServerDocument,
    "\n  mutation UndrainServer($id: ID!) { undrainServer(id: $id) { __typename ... on Server { id draining } ... on Error { code } } }\n": typeof types.UndrainServerDocument,
    "\n  mutation RotateServerCredentials($id: ID!) {\n    rotateServerCredentials(id: $id) { __typename ... on Server { id } ... on Error { code message } }\n  }\n": typeof types.RotateServerCredentialsDocument,
    "\n  mutation DeleteServer($id: ID!, $force: Boolean) {\n    deleteServer(id: $id, force: $force) { __typename ... on DeletePayload { id } ... on Error { code message } }\n  }\n": typeof types.DeleteServerDocument,
    "\n  query ActiveSessionOf($id: ID!) { serverGameConfig(id: $id) { activeSession { id status restartOf { id } } } }\n": typeof types.ActiveSessionOfDocument,
    "\n  mutation SendInput($input: SendInputInput!) {\n    sendInput(input: $input) {\n      __typename\n      ... on SendInputPayload { sessionId writtenAt }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": typeof types.SendInputDocument,
    "\n  query ActionsOf($id: ID!) { session(id: $id) { deployment { actions { id name } } } }\n": typeof types.ActionsOfDocument,
    "\n  mutation RunAction($input: RunActionInput!) {\n    runAction(input: $input) {\n      __typename\n      ... on SendInputPayload { sessionId writtenAt }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": typeof types.RunActionDocument,
    "\n  query SessionById($id: ID!) {\n    session(id: $id) {\n      id\n      status\n      startedAt\n      readyAt\n      endedAt\n      exitCode\n      oomKilled\n      endReason\n      endMessage\n      lastLines\n      imageDigest\n      restartOf { id }\n      waitsFor { id }\n    }\n  }\n": typeof types.SessionByIdDocument,
    "\n  query ServerById($id: ID!) {\n    server(id: $id) { id name status agentVersion capacity { cpus dockerVersion } conditions { kind message } }\n  }\n": typeof types.ServerByIdDocument,
    "\n  query WholeFleet($id: ID!) {\n    server(id: $id) {\n      name\n      status\n      ports { port protocol deployment { id } }\n      deployments(first: 10) {\n        edges {\n          node {\n            id\n            name\n            connectAddress\n            gameConfig { name image game { name } }\n            activeSession { id status server { id } deployment { id } }\n            sessions(first: 10) { edges { node { id status } } }\n            backups(first: 10) { edges { node { id } } }\n          }\n        }\n      }\n    }\n  }\n": typeof types.WholeFleetDocument,
    "\n  subscription SessionLogs($sessionId: ID!, $after: String, $tail: Int) {\n    sessionLogs(sessionId: $sessionId, after: $after, tail: $tail) {\n      cursor\n      lines { seq at stream text }\n      text\n      gap { kind fromSeq toSeq lostLines reason }\n      end\n    }\n  }\n": typeof types.SessionLogsDocument,
    "\n  subscription SessionStats($sessionId: ID!) {\n    sessionStats(sessionId: $sessionId) { sessionId at cpuPercent memoryBytes memoryLimitBytes rxBytes txBytes }\n  }\n": typeof types.SessionStatsDocument,
    "\n  subscription SessionChanged($sessionId: ID!) {\n    sessionChanged(sessionId: $sessionId) {\n      id\n      status\n      exitCode\n      endReason\n      deployment { name gameConfig { name } server { name } }\n    }\n  }\n": typeof types.SessionChangedDocument,
    "\n  query SessionLogPage($id: ID!, $after: String, $before: String, $first: Int, $last: Int, $search: String) {\n    session(id: $id) {\n      logDownloadUrl\n      logs(after: $after, before: $before, first: $first, last: $last, search: $search) {\n        lines { seq at stream text }\n        startCursor\n        endCursor\n        hasPreviousPage\n        hasNextPage\n      }\n    }\n  }\n": typeof types.SessionLogPageDocument,
    "\n  mutation CreateBackup($input: CreateBackupInput!) {\n    createBackup(input: $input) {\n      __typename\n      ... on Backup { id status }\n      ... on Error { code message }\n    }\n  }\n": typeof types.CreateBackupDocument,
    "\n  query BackupById($id: ID!) {\n    backup(id: $id) {\n      id\n      status\n      phase\n      trigger\n      bytesDone\n      sizeBytes\n      sha256\n      error\n      warnings\n      downloadUrl\n      deployment { id status }\n      session { id }\n    }\n  }\n": typeof types.BackupByIdDocument,
    "\n  subscription BackupChanged($backupId: ID!) {\n    backupChanged(backupId: $backupId) { id status phase bytesDone sizeBytes error }\n  }\n": typeof types.BackupChangedDocument,
    "\n  query BackupFiles($backupId: ID!, $path: String) {\n    backupFiles(backupId: $backupId, path: $path) {\n      nodes { path kind bytes }\n    }\n  }\n": typeof types.BackupFilesDocument,
    "\n  mutation RestoreBackup($input: RestoreBackupInput!) {\n    restoreBackup(input: $input) {\n      __typename\n      ... on Restore { id status }\n      ... on Error { code message }\n    }\n  }\n": typeof types.RestoreBackupDocument,
    "\n  query RestoreById($id: ID!) {\n    restore(id: $id) { id status phase bytesDone error deployment { id status } }\n  }\n": typeof types.RestoreByIdDocument,
    "\n  mutation UpdateBackupPolicy($id: ID!, $input: BackupPolicyInput!) {\n    updateBackupPolicy(serverGameConfigId: $id, input: $input) {\n      __typename\n      ... on ServerGameConfig { id }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": typeof types.UpdateBackupPolicyDocument,
    "\n  mutation TransferDeployment($input: TransferDeploymentInput!) {\n    transferDeployment(input: $input) {\n      __typename\n      ... on ServerGameConfig { id status }\n      ... on Error { code message }\n    }\n  }\n": typeof types.TransferDeploymentDocument,
    "\n  query TransferOf($id: ID!) {\n    serverGameConfig(id: $id) {\n      status\n      connectAddress\n      server { id }\n      activeSession { id status server { id } }\n      transfer { id status step error }\n    }\n  }\n": typeof types.TransferOfDocument,
    "\n  mutation CreateSchedule($input: ScheduleInput!) {\n    createSchedule(input: $input) {\n      __typename\n      ... on Schedule { id nextRuns }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": typeof types.CreateScheduleDocument,
    "\n  mutation RunSchedule($id: ID!) {\n    runSchedule(id: $id) {\n      __typename\n      ... on ScheduleRun { id }\n      ... on Error { code message }\n    }\n  }\n": typeof types.RunScheduleDocument,
    "\n  query BackupsOf($id: ID!) {\n    serverGameConfig(id: $id) { backups(last: 10) { nodes { id trigger status } } }\n  }\n": typeof types.BackupsOfDocument,
};
const documents: Documents = {
    "\n  mutation RegisterServer($input: RegisterServerInput!) {\n    registerServer(input: $input) {\n      __typename\n      ... on RegisterServerPayload { enrollmentToken server { id name status } }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": types.RegisterServerDocument,
    "\n  mutation CreateGame($input: CreateGameInput!) {\n    createGame(input: $input) {\n      __typename\n      ... on Game { id name }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": types.CreateGameDocument,
    "\n  mutation CreateGameConfig($input: CreateGameConfigInput!) {\n    createGameConfig(input: $input) {\n      __typename\n      ... on GameConfig { id name image }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": types.CreateGameConfigDocument,
    "\n  mutation DeployGameConfig($input: DeployGameConfigInput!) {\n    deployGameConfig(input: $input) {\n      __typename\n      ... on ServerGameConfig { id name connectAddress portBindings { name containerPort hostPort protocol } }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n      ... on PortConflictError { conflicts { port protocol deployment { id } } }\n    }\n  }\n": types.DeployGameConfigDocument,
    "\n  mutation ImportPreset($input: ImportPresetInput!) {\n    importPreset(input: $input) {\n      __typename\n      ... on GameConfig { id name }\n      ... on Error { code message }\n    }\n  }\n": types.ImportPresetDocument,
    "\n  mutation ImportEgg($input: ImportEggInput!) {\n    importEgg(input: $input) {\n      __typename\n      ... on ImportEggPayload { gameConfig { id name } unmapped { path reason } }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": types.ImportEggDocument,
    "\n  query DeploymentInstall($id: ID!) {\n    serverGameConfig(id: $id) {\n      status\n      install { id kind status endReason exitCode logs(first: 100) { lines { text } } }\n    }\n  }\n": types.DeploymentInstallDocument,
    "\n  mutation StartSession($input: StartSessionInput!) {\n    startSession(input: $input) {\n      __typename\n      ... on Session { id status }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": types.StartSessionDocument,
    "\n  mutation StopSession($input: StopSessionInput!) {\n    stopSession(input: $input) { __typename ... on Session { id status } ... on Error { code message } }\n  }\n": types.StopSessionDocument,
    "\n  mutation KillSession($input: StopSessionInput!) {\n    killSession(input: $input) { __typename ... on Session { id status } ... on Error { code message } }\n  }\n": types.KillSessionDocument,
    "\n  mutation RestartSession($input: RestartSessionInput!) {\n    restartSession(input: $input) {\n      __typename\n      ... on Session { id status waitsFor { id } }\n      ... on Error { code message }\n    }\n  }\n": types.RestartSessionDocument,
    "\n  mutation DrainServer($id: ID!) { drainServer(id: $id) { __typename ... on Server { id draining } ... on Error { code } } }\n": types.DrainServerDocument,
    "\n  mutation UndrainServer($id: ID!) { undrainServer(id: $id) { __typename ... on Server { id draining } ... on Error { code } } }\n": types.UndrainServerDocument,
    "\n  mutation RotateServerCredentials($id: ID!) {\n    rotateServerCredentials(id: $id) { __typename ... on Server { id } ... on Error { code message } }\n  }\n": types.RotateServerCredentialsDocument,
    "\n  mutation DeleteServer($id: ID!, $force: Boolean) {\n    deleteServer(id: $id, force: $force) { __typename ... on DeletePayload { id } ... on Error { code message } }\n  }\n": types.DeleteServerDocument,
    "\n  query ActiveSessionOf($id: ID!) { serverGameConfig(id: $id) { activeSession { id status restartOf { id } } } }\n": types.ActiveSessionOfDocument,
    "\n  mutation SendInput($input: SendInputInput!) {\n    sendInput(input: $input) {\n      __typename\n      ... on SendInputPayload { sessionId writtenAt }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": types.SendInputDocument,
    "\n  query ActionsOf($id: ID!) { session(id: $id) { deployment { actions { id name } } } }\n": types.ActionsOfDocument,
    "\n  mutation RunAction($input: RunActionInput!) {\n    runAction(input: $input) {\n      __typename\n      ... on SendInputPayload { sessionId writtenAt }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": types.RunActionDocument,
    "\n  query SessionById($id: ID!) {\n    session(id: $id) {\n      id\n      status\n      startedAt\n      readyAt\n      endedAt\n      exitCode\n      oomKilled\n      endReason\n      endMessage\n      lastLines\n      imageDigest\n      restartOf { id }\n      waitsFor { id }\n    }\n  }\n": types.SessionByIdDocument,
    "\n  query ServerById($id: ID!) {\n    server(id: $id) { id name status agentVersion capacity { cpus dockerVersion } conditions { kind message } }\n  }\n": types.ServerByIdDocument,
    "\n  query WholeFleet($id: ID!) {\n    server(id: $id) {\n      name\n      status\n      ports { port protocol deployment { id } }\n      deployments(first: 10) {\n        edges {\n          node {\n            id\n            name\n            connectAddress\n            gameConfig { name image game { name } }\n            activeSession { id status server { id } deployment { id } }\n            sessions(first: 10) { edges { node { id status } } }\n            backups(first: 10) { edges { node { id } } }\n          }\n        }\n      }\n    }\n  }\n": types.WholeFleetDocument,
    "\n  subscription SessionLogs($sessionId: ID!, $after: String, $tail: Int) {\n    sessionLogs(sessionId: $sessionId, after: $after, tail: $tail) {\n      cursor\n      lines { seq at stream text }\n      text\n      gap { kind fromSeq toSeq lostLines reason }\n      end\n    }\n  }\n": types.SessionLogsDocument,
    "\n  subscription SessionStats($sessionId: ID!) {\n    sessionStats(sessionId: $sessionId) { sessionId at cpuPercent memoryBytes memoryLimitBytes rxBytes txBytes }\n  }\n": types.SessionStatsDocument,
    "\n  subscription SessionChanged($sessionId: ID!) {\n    sessionChanged(sessionId: $sessionId) {\n      id\n      status\n      exitCode\n      endReason\n      deployment { name gameConfig { name } server { name } }\n    }\n  }\n": types.SessionChangedDocument,
    "\n  query SessionLogPage($id: ID!, $after: String, $before: String, $first: Int, $last: Int, $search: String) {\n    session(id: $id) {\n      logDownloadUrl\n      logs(after: $after, before: $before, first: $first, last: $last, search: $search) {\n        lines { seq at stream text }\n        startCursor\n        endCursor\n        hasPreviousPage\n        hasNextPage\n      }\n    }\n  }\n": types.SessionLogPageDocument,
    "\n  mutation CreateBackup($input: CreateBackupInput!) {\n    createBackup(input: $input) {\n      __typename\n      ... on Backup { id status }\n      ... on Error { code message }\n    }\n  }\n": types.CreateBackupDocument,
    "\n  query BackupById($id: ID!) {\n    backup(id: $id) {\n      id\n      status\n      phase\n      trigger\n      bytesDone\n      sizeBytes\n      sha256\n      error\n      warnings\n      downloadUrl\n      deployment { id status }\n      session { id }\n    }\n  }\n": types.BackupByIdDocument,
    "\n  subscription BackupChanged($backupId: ID!) {\n    backupChanged(backupId: $backupId) { id status phase bytesDone sizeBytes error }\n  }\n": types.BackupChangedDocument,
    "\n  query BackupFiles($backupId: ID!, $path: String) {\n    backupFiles(backupId: $backupId, path: $path) {\n      nodes { path kind bytes }\n    }\n  }\n": types.BackupFilesDocument,
    "\n  mutation RestoreBackup($input: RestoreBackupInput!) {\n    restoreBackup(input: $input) {\n      __typename\n      ... on Restore { id status }\n      ... on Error { code message }\n    }\n  }\n": types.RestoreBackupDocument,
    "\n  query RestoreById($id: ID!) {\n    restore(id: $id) { id status phase bytesDone error deployment { id status } }\n  }\n": types.RestoreByIdDocument,
    "\n  mutation UpdateBackupPolicy($id: ID!, $input: BackupPolicyInput!) {\n    updateBackupPolicy(serverGameConfigId: $id, input: $input) {\n      __typename\n      ... on ServerGameConfig { id }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": types.UpdateBackupPolicyDocument,
    "\n  mutation TransferDeployment($input: TransferDeploymentInput!) {\n    transferDeployment(input: $input) {\n      __typename\n      ... on ServerGameConfig { id status }\n      ... on Error { code message }\n    }\n  }\n": types.TransferDeploymentDocument,
    "\n  query TransferOf($id: ID!) {\n    serverGameConfig(id: $id) {\n      status\n      connectAddress\n      server { id }\n      activeSession { id status server { id } }\n      transfer { id status step error }\n    }\n  }\n": types.TransferOfDocument,
    "\n  mutation CreateSchedule($input: ScheduleInput!) {\n    createSchedule(input: $input) {\n      __typename\n      ... on Schedule { id nextRuns }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n": types.CreateScheduleDocument,
    "\n  mutation RunSchedule($id: ID!) {\n    runSchedule(id: $id) {\n      __typename\n      ... on ScheduleRun { id }\n      ... on Error { code message }\n    }\n  }\n": types.RunScheduleDocument,
    "\n  query BackupsOf($id: ID!) {\n    serverGameConfig(id: $id) { backups(last: 10) { nodes { id trigger status } } }\n  }\n": types.BackupsOfDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RegisterServer($input: RegisterServerInput!) {\n    registerServer(input: $input) {\n      __typename\n      ... on RegisterServerPayload { enrollmentToken server { id name status } }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n"): typeof import('./graphql.ts').RegisterServerDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateGame($input: CreateGameInput!) {\n    createGame(input: $input) {\n      __typename\n      ... on Game { id name }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n"): typeof import('./graphql.ts').CreateGameDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateGameConfig($input: CreateGameConfigInput!) {\n    createGameConfig(input: $input) {\n      __typename\n      ... on GameConfig { id name image }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n"): typeof import('./graphql.ts').CreateGameConfigDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeployGameConfig($input: DeployGameConfigInput!) {\n    deployGameConfig(input: $input) {\n      __typename\n      ... on ServerGameConfig { id name connectAddress portBindings { name containerPort hostPort protocol } }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n      ... on PortConflictError { conflicts { port protocol deployment { id } } }\n    }\n  }\n"): typeof import('./graphql.ts').DeployGameConfigDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ImportPreset($input: ImportPresetInput!) {\n    importPreset(input: $input) {\n      __typename\n      ... on GameConfig { id name }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').ImportPresetDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ImportEgg($input: ImportEggInput!) {\n    importEgg(input: $input) {\n      __typename\n      ... on ImportEggPayload { gameConfig { id name } unmapped { path reason } }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n"): typeof import('./graphql.ts').ImportEggDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query DeploymentInstall($id: ID!) {\n    serverGameConfig(id: $id) {\n      status\n      install { id kind status endReason exitCode logs(first: 100) { lines { text } } }\n    }\n  }\n"): typeof import('./graphql.ts').DeploymentInstallDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation StartSession($input: StartSessionInput!) {\n    startSession(input: $input) {\n      __typename\n      ... on Session { id status }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n"): typeof import('./graphql.ts').StartSessionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation StopSession($input: StopSessionInput!) {\n    stopSession(input: $input) { __typename ... on Session { id status } ... on Error { code message } }\n  }\n"): typeof import('./graphql.ts').StopSessionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation KillSession($input: StopSessionInput!) {\n    killSession(input: $input) { __typename ... on Session { id status } ... on Error { code message } }\n  }\n"): typeof import('./graphql.ts').KillSessionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RestartSession($input: RestartSessionInput!) {\n    restartSession(input: $input) {\n      __typename\n      ... on Session { id status waitsFor { id } }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').RestartSessionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DrainServer($id: ID!) { drainServer(id: $id) { __typename ... on Server { id draining } ... on Error { code } } }\n"): typeof import('./graphql.ts').DrainServerDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UndrainServer($id: ID!) { undrainServer(id: $id) { __typename ... on Server { id draining } ... on Error { code } } }\n"): typeof import('./graphql.ts').UndrainServerDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RotateServerCredentials($id: ID!) {\n    rotateServerCredentials(id: $id) { __typename ... on Server { id } ... on Error { code message } }\n  }\n"): typeof import('./graphql.ts').RotateServerCredentialsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteServer($id: ID!, $force: Boolean) {\n    deleteServer(id: $id, force: $force) { __typename ... on DeletePayload { id } ... on Error { code message } }\n  }\n"): typeof import('./graphql.ts').DeleteServerDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ActiveSessionOf($id: ID!) { serverGameConfig(id: $id) { activeSession { id status restartOf { id } } } }\n"): typeof import('./graphql.ts').ActiveSessionOfDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SendInput($input: SendInputInput!) {\n    sendInput(input: $input) {\n      __typename\n      ... on SendInputPayload { sessionId writtenAt }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n"): typeof import('./graphql.ts').SendInputDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ActionsOf($id: ID!) { session(id: $id) { deployment { actions { id name } } } }\n"): typeof import('./graphql.ts').ActionsOfDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RunAction($input: RunActionInput!) {\n    runAction(input: $input) {\n      __typename\n      ... on SendInputPayload { sessionId writtenAt }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n"): typeof import('./graphql.ts').RunActionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SessionById($id: ID!) {\n    session(id: $id) {\n      id\n      status\n      startedAt\n      readyAt\n      endedAt\n      exitCode\n      oomKilled\n      endReason\n      endMessage\n      lastLines\n      imageDigest\n      restartOf { id }\n      waitsFor { id }\n    }\n  }\n"): typeof import('./graphql.ts').SessionByIdDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ServerById($id: ID!) {\n    server(id: $id) { id name status agentVersion capacity { cpus dockerVersion } conditions { kind message } }\n  }\n"): typeof import('./graphql.ts').ServerByIdDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query WholeFleet($id: ID!) {\n    server(id: $id) {\n      name\n      status\n      ports { port protocol deployment { id } }\n      deployments(first: 10) {\n        edges {\n          node {\n            id\n            name\n            connectAddress\n            gameConfig { name image game { name } }\n            activeSession { id status server { id } deployment { id } }\n            sessions(first: 10) { edges { node { id status } } }\n            backups(first: 10) { edges { node { id } } }\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').WholeFleetDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription SessionLogs($sessionId: ID!, $after: String, $tail: Int) {\n    sessionLogs(sessionId: $sessionId, after: $after, tail: $tail) {\n      cursor\n      lines { seq at stream text }\n      text\n      gap { kind fromSeq toSeq lostLines reason }\n      end\n    }\n  }\n"): typeof import('./graphql.ts').SessionLogsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription SessionStats($sessionId: ID!) {\n    sessionStats(sessionId: $sessionId) { sessionId at cpuPercent memoryBytes memoryLimitBytes rxBytes txBytes }\n  }\n"): typeof import('./graphql.ts').SessionStatsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription SessionChanged($sessionId: ID!) {\n    sessionChanged(sessionId: $sessionId) {\n      id\n      status\n      exitCode\n      endReason\n      deployment { name gameConfig { name } server { name } }\n    }\n  }\n"): typeof import('./graphql.ts').SessionChangedDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SessionLogPage($id: ID!, $after: String, $before: String, $first: Int, $last: Int, $search: String) {\n    session(id: $id) {\n      logDownloadUrl\n      logs(after: $after, before: $before, first: $first, last: $last, search: $search) {\n        lines { seq at stream text }\n        startCursor\n        endCursor\n        hasPreviousPage\n        hasNextPage\n      }\n    }\n  }\n"): typeof import('./graphql.ts').SessionLogPageDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateBackup($input: CreateBackupInput!) {\n    createBackup(input: $input) {\n      __typename\n      ... on Backup { id status }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').CreateBackupDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query BackupById($id: ID!) {\n    backup(id: $id) {\n      id\n      status\n      phase\n      trigger\n      bytesDone\n      sizeBytes\n      sha256\n      error\n      warnings\n      downloadUrl\n      deployment { id status }\n      session { id }\n    }\n  }\n"): typeof import('./graphql.ts').BackupByIdDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription BackupChanged($backupId: ID!) {\n    backupChanged(backupId: $backupId) { id status phase bytesDone sizeBytes error }\n  }\n"): typeof import('./graphql.ts').BackupChangedDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query BackupFiles($backupId: ID!, $path: String) {\n    backupFiles(backupId: $backupId, path: $path) {\n      nodes { path kind bytes }\n    }\n  }\n"): typeof import('./graphql.ts').BackupFilesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RestoreBackup($input: RestoreBackupInput!) {\n    restoreBackup(input: $input) {\n      __typename\n      ... on Restore { id status }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').RestoreBackupDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query RestoreById($id: ID!) {\n    restore(id: $id) { id status phase bytesDone error deployment { id status } }\n  }\n"): typeof import('./graphql.ts').RestoreByIdDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateBackupPolicy($id: ID!, $input: BackupPolicyInput!) {\n    updateBackupPolicy(serverGameConfigId: $id, input: $input) {\n      __typename\n      ... on ServerGameConfig { id }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n"): typeof import('./graphql.ts').UpdateBackupPolicyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation TransferDeployment($input: TransferDeploymentInput!) {\n    transferDeployment(input: $input) {\n      __typename\n      ... on ServerGameConfig { id status }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').TransferDeploymentDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query TransferOf($id: ID!) {\n    serverGameConfig(id: $id) {\n      status\n      connectAddress\n      server { id }\n      activeSession { id status server { id } }\n      transfer { id status step error }\n    }\n  }\n"): typeof import('./graphql.ts').TransferOfDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateSchedule($input: ScheduleInput!) {\n    createSchedule(input: $input) {\n      __typename\n      ... on Schedule { id nextRuns }\n      ... on Error { code message }\n      ... on InvalidInputError { issues { path message } }\n    }\n  }\n"): typeof import('./graphql.ts').CreateScheduleDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RunSchedule($id: ID!) {\n    runSchedule(id: $id) {\n      __typename\n      ... on ScheduleRun { id }\n      ... on Error { code message }\n    }\n  }\n"): typeof import('./graphql.ts').RunScheduleDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query BackupsOf($id: ID!) {\n    serverGameConfig(id: $id) { backups(last: 10) { nodes { id trigger status } } }\n  }\n"): typeof import('./graphql.ts').BackupsOfDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
