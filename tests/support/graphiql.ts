import { accessSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { eventually } from './eventually.ts'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const browsers = ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable']

const isThere = (path: string): boolean => {
  try {
    accessSync(path)
    return true
  } catch {
    return false
  }
}

/** The machine's own browser on the gateway's page, used as a person does: paste, press the button, read. */
export const openGraphiql = async (url: string) => {
  const browser = await chromium.launch({ executablePath: browsers.find(isThere), args: flags })
  const context = await browser.newContext({
    viewport: { width: 1400, height: 900 },
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  const page = await context.newPage()
  const elsewhere: string[] = []
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (protocol.startsWith('http') && origin !== new URL(url).origin) elsewhere.push(request.url())
  })
  await page.goto(url)

  const paste = async (editor: string, text: string): Promise<void> => {
    await page.locator(`${editor} .monaco-editor:visible`).first().click()
    await page.keyboard.press('Control+A')
    await page.evaluate((copied) => navigator.clipboard.writeText(copied), text)
    await page.keyboard.press('Control+V')
  }

  return {
    /** Into the editor that "Headers" shows. */
    pasteHeaders: (text: string) => paste('.graphiql-editor-tool', text),
    /** Runs an operation in the place of the one before. */
    run: async (operation: string): Promise<void> => {
      await paste('.graphiql-query-editor', operation)
      await page.locator('[aria-label^="Execute query"], [aria-label^="Stop query"]').click()
    },
    /** Waits until a text can be read in the result. */
    shows: async (text: string, limitMs?: number): Promise<void> => {
      // The editor draws spaces as non-breaking ones.
      const read = async () => ((await page.locator('.result-window').textContent()) ?? '').replaceAll('\u00a0', ' ')
      const isThere = async () => (await read()).includes(text)
      await eventually(isThere, { what: `"${text}" on the page`, limitMs, everyMs: 100 }).catch(async (error: Error) => {
        throw new Error(`${error.message}; there is ${await read()}`, { cause: error })
      })
    },
    /** Requests to anywhere but the gateway: a page that works offline makes none. */
    elsewhere,
    screenshot: (path: string) => page.screenshot({ path }),
    close: () => browser.close(),
  }
}
