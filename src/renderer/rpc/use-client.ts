import type { ContractRouterClient } from '@orpc/contract'
import { inject } from 'vue'
import type { InjectionKey, ShallowRef } from 'vue'
import type { Contract } from '../../shared/contract/index.ts'

export type Client = ContractRouterClient<Contract>
export type ConnectionState = 'connecting' | 'open' | 'lost'

export const clientKey: InjectionKey<Client> = Symbol('client')
export const connectionKey: InjectionKey<Readonly<ShallowRef<ConnectionState>>> = Symbol('connection')

/** The client of the running program, provided by the page's entry. */
export function useClient(): Client {
  return required(inject(clientKey), 'client')
}

/** Whether main can be reached at the moment. */
export function useConnection(): Readonly<ShallowRef<ConnectionState>> {
  return required(inject(connectionKey), 'connection')
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`No ${name} is provided`)
  return value
}
