/** The page's only way to the program. */
export { createClient } from './client.ts'
export { connectionState } from './connection-state.ts'
export type { ConnectionState } from './connection-state.ts'
export { artifactAddress, uploadFile } from './files.ts'
export type { Stored } from './files.ts'
export type { ContractClient } from '../../shared/rpc/client.ts'
