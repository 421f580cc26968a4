import { graphql } from './generated/index.ts'

// The operations that end-to-end tests use, as a client would write them. `npm run schema` gives each its types.

export const registerServer = graphql(`
  mutation RegisterServer($input: RegisterServerInput!) {
    registerServer(input: $input) {
      __typename
      ... on RegisterServerPayload { enrollmentToken server { id name status } }
      ... on Error { code message }
      ... on InvalidInputError { issues { path message } }
    }
  }
`)

export const createGame = graphql(`
  mutation CreateGame($input: CreateGameInput!) {
    createGame(input: $input) {
      __typename
      ... on Game { id name }
      ... on Error { code message }
      ... on InvalidInputError { issues { path message } }
    }
  }
`)

export const createGameConfig = graphql(`
  mutation CreateGameConfig($input: CreateGameConfigInput!) {
    createGameConfig(input: $input) {
      __typename
      ... on GameConfig { id name image }
      ... on Error { code message }
      ... on InvalidInputError { issues { path message } }
    }
  }
`)

export const deployGameConfig = graphql(`
  mutation DeployGameConfig($input: DeployGameConfigInput!) {
    deployGameConfig(input: $input) {
      __typename
      ... on ServerGameConfig { id name connectAddress portBindings { name containerPort hostPort protocol } }
      ... on Error { code message }
      ... on InvalidInputError { issues { path message } }
      ... on PortConflictError { conflicts { port protocol deployment { id } } }
    }
  }
`)

export const importPreset = graphql(`
  mutation ImportPreset($input: ImportPresetInput!) {
    importPreset(input: $input) {
      __typename
      ... on GameConfig { id name }
      ... on Error { code message }
    }
  }
`)

export const importEgg = graphql(`
  mutation ImportEgg($input: ImportEggInput!) {
    importEgg(input: $input) {
      __typename
      ... on ImportEggPayload { gameConfig { id name } unmapped { path reason } }
      ... on Error { code message }
      ... on InvalidInputError { issues { path message } }
    }
  }
`)

export const deploymentInstall = graphql(`
  query DeploymentInstall($id: ID!) {
    serverGameConfig(id: $id) {
      status
      install { id kind status endReason exitCode logs(first: 100) { lines { text } } }
    }
  }
`)

export const startSession = graphql(`
  mutation StartSession($input: StartSessionInput!) {
    startSession(input: $input) {
      __typename
      ... on Session { id status }
      ... on Error { code message }
      ... on InvalidInputError { issues { path message } }
    }
  }
`)

export const stopSession = graphql(`
  mutation StopSession($input: StopSessionInput!) {
    stopSession(input: $input) { __typename ... on Session { id status } ... on Error { code message } }
  }
`)

export const killSession = graphql(`
  mutation KillSession($input: StopSessionInput!) {
    killSession(input: $input) { __typename ... on Session { id status } ... on Error { code message } }
  }
`)

export const restartSession = graphql(`
  mutation RestartSession($input: RestartSessionInput!) {
    restartSession(input: $input) {
      __typename
      ... on Session { id status waitsFor { id } }
      ... on Error { code message }
    }
  }
`)

export const drainServer = graphql(`
  mutation DrainServer($id: ID!) { drainServer(id: $id) { __typename ... on Server { id draining } ... on Error { code } } }
`)

export const undrainServer = graphql(`
  mutation UndrainServer($id: ID!) { undrainServer(id: $id) { __typename ... on Server { id draining } ... on Error { code } } }
`)

export const rotateServerCredentials = graphql(`
  mutation RotateServerCredentials($id: ID!) {
    rotateServerCredentials(id: $id) { __typename ... on Server { id } ... on Error { code message } }
  }
`)

export const deleteServer = graphql(`
  mutation DeleteServer($id: ID!, $force: Boolean) {
    deleteServer(id: $id, force: $force) { __typename ... on DeletePayload { id } ... on Error { code message } }
  }
`)

export const activeSessionOf = graphql(`
  query ActiveSessionOf($id: ID!) { serverGameConfig(id: $id) { activeSession { id status restartOf { id } } } }
`)

export const sendInput = graphql(`
  mutation SendInput($input: SendInputInput!) {
    sendInput(input: $input) {
      __typename
      ... on SendInputPayload { sessionId writtenAt }
      ... on Error { code message }
      ... on InvalidInputError { issues { path message } }
    }
  }
`)

/** What can be run in a session. */
export const actionsOf = graphql(`
  query ActionsOf($id: ID!) { session(id: $id) { deployment { actions { id name } } } }
`)

export const runAction = graphql(`
  mutation RunAction($input: RunActionInput!) {
    runAction(input: $input) {
      __typename
      ... on SendInputPayload { sessionId writtenAt }
      ... on Error { code message }
      ... on InvalidInputError { issues { path message } }
    }
  }
`)

export const sessionById = graphql(`
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
      restartOf { id }
      waitsFor { id }
    }
  }
`)

export const serverById = graphql(`
  query ServerById($id: ID!) {
    server(id: $id) { id name status agentVersion capacity { cpus dockerVersion } conditions { kind message } }
  }
`)

/** From the machine down to the running game, across all four subgraphs. */
export const wholeFleet = graphql(`
  query WholeFleet($id: ID!) {
    server(id: $id) {
      name
      status
      ports { port protocol deployment { id } }
      deployments(first: 10) {
        edges {
          node {
            id
            name
            connectAddress
            gameConfig { name image game { name } }
            activeSession { id status server { id } deployment { id } }
            sessions(first: 10) { edges { node { id status } } }
            backups(first: 10) { edges { node { id } } }
          }
        }
      }
    }
  }
`)

export const sessionLogs = graphql(`
  subscription SessionLogs($sessionId: ID!, $after: String, $tail: Int) {
    sessionLogs(sessionId: $sessionId, after: $after, tail: $tail) {
      cursor
      lines { seq at stream text }
      text
      gap { kind fromSeq toSeq lostLines reason }
      end
    }
  }
`)

export const sessionStats = graphql(`
  subscription SessionStats($sessionId: ID!) {
    sessionStats(sessionId: $sessionId) { sessionId at cpuPercent memoryBytes memoryLimitBytes rxBytes txBytes }
  }
`)

export const sessionChanged = graphql(`
  subscription SessionChanged($sessionId: ID!) {
    sessionChanged(sessionId: $sessionId) {
      id
      status
      exitCode
      endReason
      deployment { name gameConfig { name } server { name } }
    }
  }
`)

export const sessionLogPage = graphql(`
  query SessionLogPage($id: ID!, $after: String, $before: String, $first: Int, $last: Int, $search: String) {
    session(id: $id) {
      logDownloadUrl
      logs(after: $after, before: $before, first: $first, last: $last, search: $search) {
        lines { seq at stream text }
        startCursor
        endCursor
        hasPreviousPage
        hasNextPage
      }
    }
  }
`)

export const createBackup = graphql(`
  mutation CreateBackup($input: CreateBackupInput!) {
    createBackup(input: $input) {
      __typename
      ... on Backup { id status }
      ... on Error { code message }
    }
  }
`)

export const backupById = graphql(`
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
      deployment { id status }
      session { id }
    }
  }
`)

export const backupChanged = graphql(`
  subscription BackupChanged($backupId: ID!) {
    backupChanged(backupId: $backupId) { id status phase bytesDone sizeBytes error }
  }
`)

export const backupFiles = graphql(`
  query BackupFiles($backupId: ID!, $path: String) {
    backupFiles(backupId: $backupId, path: $path) {
      nodes { path kind bytes }
    }
  }
`)

export const restoreBackup = graphql(`
  mutation RestoreBackup($input: RestoreBackupInput!) {
    restoreBackup(input: $input) {
      __typename
      ... on Restore { id status }
      ... on Error { code message }
    }
  }
`)

export const restoreById = graphql(`
  query RestoreById($id: ID!) {
    restore(id: $id) { id status phase bytesDone error deployment { id status } }
  }
`)

export const updateBackupPolicy = graphql(`
  mutation UpdateBackupPolicy($id: ID!, $input: BackupPolicyInput!) {
    updateBackupPolicy(serverGameConfigId: $id, input: $input) {
      __typename
      ... on ServerGameConfig { id }
      ... on Error { code message }
      ... on InvalidInputError { issues { path message } }
    }
  }
`)

export const transferDeployment = graphql(`
  mutation TransferDeployment($input: TransferDeploymentInput!) {
    transferDeployment(input: $input) {
      __typename
      ... on ServerGameConfig { id status }
      ... on Error { code message }
    }
  }
`)

export const transferOf = graphql(`
  query TransferOf($id: ID!) {
    serverGameConfig(id: $id) {
      status
      connectAddress
      server { id }
      activeSession { id status server { id } }
      transfer { id status step error }
    }
  }
`)

export const createSchedule = graphql(`
  mutation CreateSchedule($input: ScheduleInput!) {
    createSchedule(input: $input) {
      __typename
      ... on Schedule { id nextRuns }
      ... on Error { code message }
      ... on InvalidInputError { issues { path message } }
    }
  }
`)

export const runSchedule = graphql(`
  mutation RunSchedule($id: ID!) {
    runSchedule(id: $id) {
      __typename
      ... on ScheduleRun { id }
      ... on Error { code message }
    }
  }
`)

export const backupsOf = graphql(`
  query BackupsOf($id: ID!) {
    serverGameConfig(id: $id) { backups(last: 10) { nodes { id trigger status } } }
  }
`)
