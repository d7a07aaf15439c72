import { inject } from 'vue'
import type { InjectionKey, Ref } from 'vue'
import type { ContractClient } from '../../shared/rpc/client.ts'
import type { ConnectionState } from '../../shared/rpc/connection.ts'

export const clientKey: InjectionKey<ContractClient> = Symbol('client')
export const connectionKey: InjectionKey<Readonly<Ref<ConnectionState>>> = Symbol('connection')

/** The client of the running program, provided by the page's entry. */
export function useClient(): ContractClient {
  return required(inject(clientKey), 'client')
}

/** Whether the program can be reached at the moment. */
export function useConnection(): Readonly<Ref<ConnectionState>> {
  return required(inject(connectionKey), 'connection')
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`No ${name} is provided`)
  return value
}
