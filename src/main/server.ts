/** The browser page: assembles the workstation behind an HTTP server. Knows nothing of Electron. */
import { randomBytes } from 'node:crypto'
import type { EngineWish } from '../shared/engines.ts'
import { openWorkstation } from './assemble.ts'
import type { WorkstationOptions } from './assemble.ts'
import { isLoopback } from './http/access.ts'
import { openBrowser } from './http/open-browser.ts'
import type { PageServer } from './http/page-server.ts'
import { startPageServer } from './http/page-server.ts'
import { createLogger } from './platform/logger.ts'

export interface ServeOptions extends Pick<WorkstationOptions, 'workerPath' | 'pageFolder' | 'threads'> {
  /** Created where it is absent. */
  projectFolder: string
  /** 0 (the default) takes a free one. */
  port?: number
  /** `127.0.0.1` by default. Any other is reachable by whoever is on that network and knows the token. */
  host?: string
  /** 32 random bytes in hexadecimal by default. */
  token?: string
  /** Whether to show the page in a browser. */
  open: boolean
  engine?: EngineWish
  /** Gets one line when the page can be opened: "ConvScope is at http://…". Standard output by default. */
  print?: (line: string) => void
  /** Gets warnings. Standard error by default. */
  warn?: (line: string) => void
}

export interface Serving {
  readonly address: string
  /** Ends connections, jobs (their checkpoints kept), worker and project, in this order. */
  close(): Promise<void>
}

/** Serves the page; on return it can be opened, while the compute session may still be starting. */
export async function startServing(options: ServeOptions): Promise<Serving> {
  const host = options.host ?? '127.0.0.1'
  const workstation = await openWorkstation({ ...options, shell: 'page' })
  let server: PageServer | undefined
  const close = async (): Promise<void> => {
    await server?.close()
    await workstation.close()
  }
  try {
    server = await startPageServer({
      host,
      port: options.port ?? 0,
      token: options.token ?? randomBytes(32).toString('hex'),
      content: workstation.content,
      rpc: workstation.rpc,
      log: createLogger('http'),
    })
    await workstation.announcePage(server.address)
  } catch (error) {
    await close()
    throw error
  }
  const print = options.print ?? ((line) => process.stdout.write(`${line}\n`))
  const warn = options.warn ?? ((line) => process.stderr.write(`${line}\n`))
  if (!isLoopback(host)) {
    warn(
      `Warning: ConvScope listens on ${host}. Whoever can reach this machine and sees the address below can use it; it is not encrypted.`,
    )
  }
  print(`ConvScope is at ${server.address}`)
  if (options.open) openBrowser(server.singleUseAddress())
  return { address: server.address, close }
}
